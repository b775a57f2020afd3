"""OpenSTA asked independently: Yosys' netlist with the library's untouched files."""

import os
import re
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

import synth.timing.sta
from synth.area.measure import map_design
from synth.libraries.liberty import Library, read
from synth.libraries.libraries import load
from synth.timing.sta import SCRIPT
from tests.test_synth_opensta import BITS, area_of
from tests.test_synth_timing import Accumulator, design_of

KITS = os.environ.get("KLLM_PDK")


@pytest.fixture(autouse=True)
def needs_opensta() -> None:
    if not synth.timing.sta.opensta().will_do:
        pytest.skip(f"no OpenSTA: {synth.timing.sta.opensta().problem}")


def flat_netlist(library: Library) -> Iterator[str]:
    """Yield the Verilog of the accumulator's cells, written from Yosys' JSON alone."""
    _, mapped = map_design(design_of(Accumulator(BITS)), library)
    module = mapped["dut"].netlist
    ports = {name: port for name, port in module["ports"].items() if name not in ("clk", "rst")}
    yield f"module timing (kllm_clock, {', '.join(ports)});\ninput kllm_clock;"
    (clock,) = module["ports"]["clk"]["bits"]
    for name, port in ports.items():
        yield f"{port['direction']} [{len(port['bits']) - 1}:0] {name};"
    net = {clock: "kllm_clock"}
    joined = []
    for name, port in ports.items():
        for index, bit in enumerate(port["bits"]):
            if port["direction"] == "input":
                net[bit] = f"{name}[{index}]"
            else:
                joined.append((f"{name}[{index}]", bit))
    number = count()
    for cell in module["cells"].values():
        pins = [
            f".{pin}({net.get(bits[0], f'n{bits[0]}')})"
            for pin, bits in cell["connections"].items()
        ]
        yield f"{cell['type']} u{next(number)} ({', '.join(pins)});"
    yield from (f"assign {port} = {net.get(bit, f'n{bit}')};" for port, bit in joined)
    yield "endmodule\n"


@pytest.mark.parametrize("kit", ["osu018", "sky130hd", "ihp-sg13g2", "asap7"])
def test_opensta_agrees_on_the_untouched_library(
    kit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kit != "osu018":
        if not KITS or not Path(KITS, kit).is_dir():
            pytest.skip(f"KLLM_PDK names no folder with {kit}")
        monkeypatch.setenv("PDK_ROOT", KITS)
    library = load([kit])
    (tmp_path / "timing.v").write_text("\n".join(flat_netlist(library)))
    names = []
    for path, text in library.sources.items():
        names.append(path.name.removesuffix(".gz"))
        (tmp_path / names[-1]).write_text(text)
    reads = "\n".join(f"read_liberty {name}" for name in names)
    clock = "[get_ports kllm_clock]"
    script = SCRIPT.format(libraries=reads, clock="clock", period=1.0, port=clock)
    (tmp_path / "timing.tcl").write_text(script)
    command = ["sta", "-no_splash", "-exit", "timing.tcl"]
    log = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    slack = re.search(r"(-[\d.]+)\s+slack", log)
    assert slack, log
    assert area_of(library).delay_ps == pytest.approx(1 - float(slack[1]), rel=1e-3)


def test_wires_take_no_time(library: Library, tmp_path: Path) -> None:
    """Some libraries say what wire a net has by default: OpenSTA would add it."""
    text = library.sources[library.files[0]]
    start = text.index("{") + 1
    load = """
      wire_load (long) {
        resistance : 0.01; capacitance : 0.5; area : 0; slope : 1; fanout_length (1, 1);
      }
      default_wire_load : long;"""
    path = tmp_path / "wired.lib"
    path.write_text(text[:start] + load + text[start:])
    assert area_of(read([path])).delay_ps == pytest.approx(area_of(library).delay_ps, rel=1e-6)
