"""RTLIL made fit for linters: what it loses nobody reads, and it computes the same, proven."""
# ruff: noqa: D102

import re
from itertools import product
from pathlib import Path

import pytest
from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory
from amaranth.lib.wiring import Component, In, Out

from gateware.emit import rtlil, verilog
from gateware.operands import UNUSED
from gateware.tidy import tidy
from gateware.yosys import run_yosys
from golden.base.errors import ToolError
from hw.stream.share import share

SHAPES = (unsigned(1), unsigned(5), signed(1), signed(4), signed(7))
PAIR = data.StructLayout({"low": 3, "high": signed(5)})
OPERATORS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a, b: -a,
    "and": lambda a, b: a & b,
    "less": lambda a, b: a < b,
    "most": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "differs": lambda a, b: a != b,
    "left": lambda a, b: a << b.as_unsigned()[:3],
    "right": lambda a, b: a >> b.as_unsigned()[:3],
    "part": lambda a, b: a.bit_select(b.as_unsigned()[:3], 2),
    "constant": lambda a, b: (a == 2) & (b > -3) & (a + 1 < 9),
    "choice": lambda a, b: Mux(a > b, a, b),
}


class Operators(Component):
    """Applies an operator to signals of all pairs of shapes."""

    def __init__(self, name: str) -> None:
        self.of = OPERATORS[name]
        self.pairs = list(product(range(len(SHAPES)), repeat=2))
        ports = {f"i{n}": In(shape) for n, shape in enumerate(SHAPES)}
        for a, b in self.pairs:
            ports[f"o{a}_{b}"] = Out(self.of(Signal(SHAPES[a]), Signal(SHAPES[b])).shape())
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for a, b in self.pairs:
            result = self.of(getattr(self, f"i{a}"), getattr(self, f"i{b}"))
            m.d.comb += getattr(self, f"o{a}_{b}").eq(result)
        return m


class Spare(Component):
    """Holds much that nothing reads, and signals without bits."""

    pair: data.View
    none: Signal
    o: Signal
    void: Signal
    second: Signal

    def __init__(self) -> None:
        ports = {
            "pair": In(PAIR),
            "spare": In(6),
            "none": In(0),
            "o": Out(signed(5)),
            "void": Out(0),
            "second": Out(3),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        dead = Signal(8)
        empty = Signal(0)
        m.d.sync += dead.eq(dead + self.pair.low)
        m.d.comb += [self.void.eq(self.none), empty.eq(self.none), self.second.eq(~self.pair.low)]
        m.submodules.rows = rows = memory.Memory(shape=5, depth=1, init=[3])
        write, read = rows.write_port(), rows.read_port(domain="comb")
        m.d.comb += [write.data.eq(self.pair.high), write.en.eq(empty == 0)]
        with m.If(self.pair.low[0]):
            m.d.comb += self.o.eq(read.data)
        return m


class Holder(Component):
    """Holds such a part and reads one of its outputs."""

    pair: data.View
    o: Signal

    def __init__(self) -> None:
        super().__init__({"pair": In(PAIR), "o": Out(signed(5))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.part = share(platform, part := Spare())
        m.d.comb += [part.pair.eq(self.pair), self.o.eq(part.o)]
        return m


def prove_same(folder: Path, one: str, other: str) -> None:
    """Prove that two texts of the module ``top`` give the same outputs, for four cycles."""
    (folder / "gold.il").write_text(one)
    (folder / "gate.il").write_text(other)
    commands = []
    for name in ("gold", "gate"):
        commands += [
            f"read_rtlil {name}.il",
            "hierarchy -top top",
            "proc",
            "flatten",
            "memory -nordff",
        ]
        commands += ["opt_clean", f"rename top {name}", f"design -stash {name}"]
    commands += [f"design -copy-from {name} {name}" for name in ("gold", "gate")]
    commands += ["miter -equiv -flatten -make_outputs gold gate both"]
    commands += ["sat -verify -prove trigger 0 -seq 4 -set-init-zero both"]
    run_yosys(folder, commands, task="equivalence", timeout=60)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_stay_what_they_are(name: str, tmp_path: Path) -> None:
    text = rtlil(Operators(name), "top")
    assert tidy(text) != text
    prove_same(tmp_path, text, tidy(text))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_have_operands_of_one_width(name: str, lint) -> None:
    assert lint(verilog(Operators(name), "top"), "top") == []


@pytest.mark.parametrize("every_name", [False, True])
def test_what_nothing_reads_is_of_no_use(tmp_path: Path, every_name: bool) -> None:
    text = rtlil(Holder(), "top")
    prove_same(tmp_path, text, tidy(text, every_name=every_name))


def test_a_difference_is_found(tmp_path: Path) -> None:
    text = rtlil(Operators("less"), "top")
    with pytest.raises(ToolError, match="proof did fail"):
        prove_same(tmp_path, text, tidy(text).replace("$lt", "$le", 1))


def test_what_is_unused_goes_or_says_so(lint) -> None:
    text = verilog(Holder(), "top")
    assert lint(text, "top") == []
    names = set(re.findall(r"[\w.]+", text))
    assert not names & {"dead", "empty", "none", "void"}
    unused = {name for name in names if name.endswith(UNUSED)}
    assert unused - {"spare_unused", "rst_unused"} == {name for name in unused if name[0].isdigit()}
    assert len(unused) == 3, "the part's output second has a wire without a name of its own"


def test_waveforms_have_every_name_that_has_bits() -> None:
    text = verilog(Holder(), "top", every_name=True)
    names = set(re.findall(r"[\w.]+", text))
    assert {"dead", "pair.low", "pair.high"} <= names
    assert not names & {"empty", "none", "void"}
    assert UNUSED not in text.split("endmodule")[0]
