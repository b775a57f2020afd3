"""The netlist of a design as Verilog that any simulator runs: its gates, and what those do.

What the cells do is read from the Liberty files by Yosys, not by this project's own reader, so a
bench that passes on the gates also says that the cells were understood. Memories stay memories.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateware.design import Design
from gateware.yosys import run_yosys
from synth.area.area import TIMEOUT
from synth.area.measure import map_design
from synth.libraries.liberty import Library
from synth.mapping.components import CHILD, Component, child_number
from synth.mapping.mapped import Mapped

# Registers start as those of the Verilog do: with X, gates would spread it further than the
# circuit spreads an unknown value. For the same reason inputs that nothing drives yet read as 0.
WRITE = (
    "setundef -init -zero",
    "attrmap -remove src -remove keep",
    "write_verilog gates.v",
)
FLATTEN = ("flatten -noscopeinfo", "opt_clean -purge")
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
    with written_gates(design, library, timeout, _with_modules) as (folder, ports):
        gates = (folder / "gates.v").read_text(encoding="utf-8")
    return gates + "\n".join(wrapper(design.name, ports))


def _with_modules(parts: Sequence[str], libraries: Sequence[str]) -> list[str]:
    """Return the commands that make cells expressions, and keep components as modules."""
    return [
        *(f"read_liberty -ignore_miss_func {name}" for name in libraries),
        *read_netlist(parts[0]),
        *(f"setattr -mod -set keep_hierarchy 1 {name}" for name in parts[1:]),
        # Expressions in place of cells: simulators take ten times as long over modules.
        *FLATTEN,
    ]


@contextmanager
def written_gates(
    design: Design,
    library: Library,
    timeout: float,
    commands: Callable[[Sequence[str], Sequence[str]], list[str]],
) -> Iterator[tuple[Path, dict[str, dict]]]:
    """Write ``gates.v`` into a folder for the time of the block; give the folder and the ports.

    Parameters
    ----------
    design, library, timeout
        As for :func:`gate_verilog`.
    commands : callable
        Makes Yosys' commands of the names of the components, the design first, and of the
        library's files.
    """
    apart, mapped = map_design(design, library, timeout=timeout)
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        texts = {f"library{n}.lib": text for n, text in enumerate(library.texts.values())}
        whole = {"netlist.json": json.dumps({"modules": modules(apart, mapped)})}
        for name, text in (texts | whole).items():
            (folder / name).write_text(text, encoding="utf-8")
        script = [*commands(list(mapped), list(texts)), *WRITE]
        task = f"writing the gates of {design.name} within {timeout:g} s"
        run_yosys(folder, script, task=task, timeout=timeout)
        yield folder, mapped[design.name].netlist["ports"]


def read_netlist(top: str) -> list[str]:
    """Return the commands that read what :func:`modules` made, with room for the wrapper's name."""
    return ["read_json netlist.json", f"rename {top} {top}{INNER}", f"hierarchy -top {top}{INNER}"]


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
