"""The netlist of a design as Verilog that any simulator runs: its gates, and what those do.

What the cells do is read from the Liberty files by Yosys, not by this project's own reader, so a
bench that passes on the gates also says that the cells were understood. Memories stay memories.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from gateware.design import Design
from gateware.yosys import run_yosys
from synth.area.area import TIMEOUT
from synth.area.components import CHILD, Component, child_number
from synth.area.mapping import Mapped
from synth.area.measure import map_design
from synth.libraries.liberty import Library

# Registers start as those of the Verilog do: with X, gates would spread it further than the
# circuit spreads an unknown value. For the same reason inputs that nothing drives yet read as 0.
WAKING = "setundef -init -zero"
INNER = "_gates"


def gate_verilog(design: Design, library: Library, *, timeout: float = TIMEOUT) -> str:
    """Return the Verilog of a design's gates: one assignment for each output of a cell.

    Parameters
    ----------
    design : Design
        Any; its top module's name and ports are those of :meth:`gateware.design.Design.verilog`.
    library : Library
        Whose cells to use.
    timeout : float
        Seconds that each run of Yosys may take.

    Raises
    ------
    InputError
        When the library lacks a cell that is needed.
    ToolError
        When Yosys is missing, fails or takes too long.
    """
    apart, mapped = map_design(design, library, timeout=timeout)
    task = f"writing the gates of {design.name} within {timeout:g} s"
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        whole = json.dumps({"modules": modules(apart, mapped)})
        (folder / "netlist.json").write_text(whole, encoding="utf-8")
        names = []
        for number, text in enumerate(library.texts.values()):
            names.append(f"library{number}.lib")
            (folder / names[-1]).write_text(text, encoding="utf-8")
        commands = [
            *(f"read_liberty -ignore_miss_func {name}" for name in names),
            "read_json netlist.json",
            f"rename {design.name} {design.name}{INNER}",
            f"hierarchy -top {design.name}{INNER}",
            *(
                f"setattr -mod -set keep_hierarchy 1 {name}"
                for name in mapped
                if name != design.name
            ),
            # Expressions in place of cells: simulators take ten times as long over modules.
            "flatten -noscopeinfo",
            "opt_clean -purge",
            WAKING,
            "attrmap -remove src -remove keep",
            "write_verilog gates.v",
        ]
        run_yosys(folder, commands, task=task, timeout=timeout)
        gates = (folder / "gates.v").read_text(encoding="utf-8")
    return gates + "\n".join(wrapper(design.name, mapped[design.name].netlist["ports"]))


def wrapper(name: str, ports: Mapping[str, dict]) -> Iterator[str]:
    """Yield the top module: the gates, their inputs never unknown."""
    yield f"module \\{name} ({', '.join(ports)});"
    joined = []
    for port, content in ports.items():
        width = len(content["bits"])
        shape = f"[{width - 1}:0] " if width > 1 else ""
        yield f"  {content['direction']} {shape}{port};"
        if content["direction"] == "output":
            joined.append(f".{port}({port})")
            continue
        bits = [f"{port}[{n}]" if width > 1 else port for n in reversed(range(width))]
        known = ", ".join(f"{bit} === 1'b1" for bit in bits)
        joined.append(f".{port}({{{known}}})")
    yield f"  \\{name}{INNER} gates ({', '.join(joined)});"
    yield "endmodule\n"


def modules(apart: Mapping[str, Component], mapped: Mapping[str, Mapped]) -> dict[str, dict]:
    """Return the modules of a design as Yosys' ``read_json`` takes them, under their own names."""
    result = {}
    for name, part in mapped.items():
        children = apart[name].children
        cells = {
            instance: {**cell, "type": children[child_number(cell["type"])]}
            if cell["type"].startswith(CHILD)
            else cell
            for instance, cell in part.netlist["cells"].items()
        }
        result[name] = {**part.netlist, "cells": cells}
    return result
