"""Components put together again: copies of copies, nets that pass through, constants."""
# ruff: noqa: D102

import pytest
from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gateware.design import Design
from hw.stream.share import share
from synth.area.measure import map_design, measure_all
from synth.libraries.liberty import Library
from synth.mapping.components import times
from synth.mapping.netlist import Assembly


def design_of(component: wiring.Component, name: str = "dut") -> Design:
    return Design(name=name, make=lambda: component)


class Wires(wiring.Component):
    """Passes its input on, turned round, and adds constants."""

    a: Signal
    o: Signal

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__({"a": In(bits), "o": Out(bits + 2)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.eq(Cat(self.a[::-1], Const(1, 2)))
        return m


class Joined(wiring.Component):
    """An exclusive or of all bits, directly or behind wires that turn them round twice."""

    a: Signal
    o: Signal

    def __init__(self, around: bool) -> None:
        self.around = around
        super().__init__({"a": In(6), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.a
        if self.around:
            for n in range(2):
                wires = Wires(6)
                m.submodules[f"wires{n}"] = share(platform, wires)
                m.d.comb += wires.a.eq(value)
                value = wires.o[:6]
        m.d.sync += self.o.eq(value.xor())
        return m


class Twice(wiring.Component):
    """Two copies of itself, one level down, and a register at the bottom."""

    a: Signal
    o: Signal

    def __init__(self, levels: int) -> None:
        self.levels = levels
        super().__init__({"a": In(1), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.a
        for n in range(2 if self.levels else 0):
            part = Twice(self.levels - 1)
            m.submodules[f"part{n}"] = share(platform, part)
            m.d.comb += part.a.eq(value)
            value = part.o
        if self.levels:
            m.d.comb += self.o.eq(value)
        else:
            held = Signal(reset_less=True)
            m.d.sync += held.eq(value)
            m.d.comb += self.o.eq(held)
        return m


def test_copies_multiply() -> None:
    held = {"top": {"b": 2, "a": 3}, "a": {"c": 5}, "b": {"a": 7, "c": 1}, "c": {}}
    assert times("top", held) == {"top": 1, "b": 2, "a": 3 + 14, "c": 2 + 85}
    assert list(times("top", held)) == ["top", "b", "a", "c"]


def test_copies_of_copies_are_counted(library: Library) -> None:
    (area,) = measure_all([design_of(Twice(4))], library)
    assert area.flip_flops == area.cells == 16
    assert [block.copies for block in area.blocks] == [1, 2, 4, 8, 16]


def test_wires_through_components_take_no_time(library: Library) -> None:
    designs = [design_of(Joined(False)), design_of(Joined(True), "around")]
    plain, around = measure_all(designs, library)
    assert around.area == plain.area
    assert around.delay_ps == pytest.approx(plain.delay_ps)
    assert around.delay_ps > 0


def test_every_gate_is_there_once_per_copy(library: Library) -> None:
    """And the register behind it takes what the one before it gives."""
    apart, mapped = map_design(design_of(Twice(3)), library)
    children = {name: part.children for name, part in apart.items()}
    cut = Assembly(mapped, children, library).cut("dut")
    assert len(cut.registers) == 8
    assert {r.inputs["D"] for r in cut.registers} <= set(cut.starts)
    assert len({r.outputs["Q"] for r in cut.registers}) == 8
