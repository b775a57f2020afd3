"""The synthesis flow: cells compute the same as the design, proven by a SAT solver."""
# ruff: noqa: D102

import json
from pathlib import Path

import pytest
from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.design import Design
from gateware.yosys import run_yosys
from synth.area.measure_design import measure
from synth.libraries.liberty import Library, read
from synth.libraries.syntax import write
from synth.mapping.flow import back, front, maps

FULL_ADDER = "FAX1"


def design_of(component: wiring.Component) -> Design:
    return Design(name="dut", make=lambda: component)


class Arithmetic(wiring.Component):
    """Sums, products and comparisons of mixed widths and signs, with constants among them."""

    a: Signal
    b: Signal
    c: Signal
    d: Signal
    o: Signal

    def __init__(self) -> None:
        ports = {"a": In(5), "b": In(signed(4)), "c": In(3), "d": In(signed(6)), "o": Out(200)}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b, c, d = self.a, self.b, self.c, self.d
        results = [
            *(a + c, a - c, a + b, b - d, d + 5, 9 - b, -d, (a << 3) + c, (c << 2) + 3),
            *(a - (c << 2), (a << 2) - c, d - (c << 3)),
            *(a + b + c + d, a + c + 1, a + a + a, d - b - c, (a << 2) - (c << 1) + 7),
            *(a * c, b * d, c * b),
            *(a < c, a <= c, a > c, a >= c, b < d, b <= d, b > d, b >= d),
            *(a < b, d >= c, a < 11, b >= -3, d > 4, c <= 6),
            Mux(c[0], a - c, a + c)[2],
        ]
        offset = 0
        for result in results:
            m.d.comb += self.o[offset : offset + len(result)].eq(result)
            offset += len(result)
        assert offset <= len(self.o)
        return m


def map_and_prove(component: wiring.Component, library: Library, folder: Path) -> dict:
    """Map a combinational component; prove that the cells compute the same; return the counts."""
    for name, text in maps(library).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "library.lib").write_text(library.files[0].read_text(), encoding="utf-8")
    (folder / "design.il").write_text(design_of(component).rtlil(), encoding="utf-8")
    prove = [
        "tee -q -o area.json stat -json -liberty library.lib",
        "read_liberty -ignore_miss_func library.lib",
        "flatten",
        "rename dut mapped",
        "read_rtlil design.il",
        "proc",
        "miter -equiv -flatten mapped dut both",
        "sat -verify -prove trigger 0 both",
    ]
    flow = [*front("dut"), *back("dut", ["library.lib"])]
    run_yosys(folder, [*flow, *prove], task="proof", timeout=120)
    return json.loads((folder / "area.json").read_text())["design"]


@pytest.mark.parametrize("adder", ["true", "inverted", "none"])
def test_cells_compute_the_same(adder: str, library: Library, tmp_path: Path) -> None:
    """With a full adder, with one whose outputs are inverted, and without any."""
    text = library.files[0].read_text(encoding="utf-8")
    if adder == "none":
        (group,) = library.groups.values()
        text = write(group, {name: name for name in library.cells if name != FULL_ADDER})
    elif adder == "inverted":
        for function in ('"(((A B)+(B C))+(C A))"', '"((A^B)^C)"'):
            assert text.count(function) == 1, "the full adder is described otherwise"
            text = text.replace(function, f'"!({function[1:-1]})"')
    changed = tmp_path / "changed.lib"
    changed.write_text(text, encoding="utf-8")
    counts = map_and_prove(Arithmetic(), read([changed]), tmp_path)["num_cells_by_type"]
    assert (counts.get(FULL_ADDER, 0) > 20) == (adder != "none")
    # A constant operand would make it a half adder, at the price of a full one.
    netlist = json.loads((tmp_path / "netlist.json").read_text())["modules"]["dut"]
    for name, cell in netlist["cells"].items():
        bits = [bit for pin in cell["connections"].values() for bit in pin]
        assert all(isinstance(bit, int) for bit in bits), f"{name}: {cell['connections']}"


def test_area_is_that_of_yosys(library: Library, tmp_path: Path) -> None:
    area = measure(design_of(Arithmetic()), library)
    by_yosys = map_and_prove(Arithmetic(), library, tmp_path)
    assert area.area == pytest.approx(by_yosys["area"])
    assert area.cells == by_yosys["num_cells"]
    assert area.ge == pytest.approx(area.area / 24)
