"""Emission: one module for all like components, never one for unlike ones; Yosys' failures."""
# ruff: noqa: D101, D102

import gc
import re
import sys
import warnings
from pathlib import Path

import pytest
from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

import gateware.yosys
import golden.base.process
from gateware.emit import emission, rtlil, snake_case, verilog
from gateware.yosys import run_abc, run_yosys
from golden.base.errors import ToolError
from hw.stream.share import share

BUSY = "yes >/dev/null"
PAIR = data.StructLayout({"low": 4, "high": 4})


class Stage(wiring.Component):
    """Adds ``step``, in a register or not."""

    i: data.View
    o: Signal

    def __init__(self, step: int, registered: bool = True) -> None:
        self.step = step
        self.registered = registered
        super().__init__({"i": In(PAIR), "o": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        domain = m.d.sync if self.registered else m.d.comb
        domain += self.o.eq(self.i.as_value() + self.step)
        return m


class Chain(wiring.Component):
    """Stages one after the other; each may be a chain itself."""

    i: Signal
    o: Signal

    def __init__(self, *, steps: tuple) -> None:
        self.steps = steps
        super().__init__({"i": In(8), "o": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.i
        for n, step in enumerate(self.steps):
            part = Chain(steps=step) if isinstance(step, tuple) else Stage(*step.arguments)
            m.submodules[f"part{n}"] = share(platform, part)
            m.d.comb += part.i.eq(value)
            value = part.o
        m.d.comb += self.o.eq(value)
        return m


class Step:
    """Arguments of a stage; hashable, and unlike a tuple no chain."""

    def __init__(self, *arguments) -> None:
        self.arguments = arguments


class Parent(wiring.Component):
    """Holds whatever parts it is given; each is driven by ``i``, and ``o`` has them all."""

    i: Signal
    o: Signal

    def __init__(self, parts: list) -> None:
        self.parts = parts
        super().__init__({"i": In(8), "o": Out(64)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for n, part in enumerate(self.parts):
            m.submodules[f"part{n}"] = share(platform, part)
            m.d.comb += [part.i.eq(self.i), self.o[8 * n :][:8].eq(part.o)]
        return m


def modules(text: str) -> list[str]:
    return re.findall(r"^module \\(\S+)$", text, re.M)


def cells(text: str, kind: str) -> int:
    return len(re.findall(rf"^ *cell \\{kind} ", text, re.M))


def test_like_components_share_one_module() -> None:
    text = rtlil(Parent([Stage(1), Stage(1), Stage(1)]), "top")
    assert sorted(modules(text)) == ["top", "top_stage"]
    assert cells(text, "top_stage") == 3


@pytest.mark.parametrize("other", [Stage(2), Stage(1, False), Stage(True), Stage(1, 1)])  # pyright: ignore[reportArgumentType]
def test_unlike_components_do_not(other: Stage) -> None:
    """Not even those whose arguments Python takes for equal: 1 and True."""
    text = rtlil(Parent([Stage(1), other, Stage(1)]), "top")
    assert sorted(modules(text)) == ["top", "top_stage", "top_stage_2"]
    assert cells(text, "top_stage") == 2
    assert cells(text, "top_stage_2") == 1


def test_classes_of_one_name_do_not() -> None:
    class Stage(Parent):
        def __init__(self) -> None:
            super().__init__([])

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.d.comb += self.o.eq(self.i)
            return m

    text = rtlil(Parent([globals()["Stage"](1), Stage()]), "top")
    assert sorted(modules(text)) == ["top", "top_stage", "top_stage_2"]


def test_shared_parts_share_parts() -> None:
    step = Step(3)
    made = emission(Chain(steps=((step, step), (step, step), step)), "top")
    assert list(made.modules) == ["top", "top_chain", "top_stage"]
    assert cells(made.text, "top_chain") == 2
    assert cells(made.text, "top_stage") == 3


def test_clock_goes_only_where_registers_are() -> None:
    made = emission(Parent([Stage(1), Stage(1, False)]), "top")
    assert made.clocked == {"top": True, "top_stage": True, "top_stage_2": False}
    instance = re.search(r"cell \\top_stage_2 .*?\n  end", made.text, re.S)
    assert instance
    assert "clk" not in instance[0]


def test_simulator_gets_the_component_itself() -> None:
    part = Stage(5)
    assert share(None, part) is part
    top = Chain(steps=(Step(5, False), Step(7, False)))
    seen = []

    async def bench(ctx) -> None:
        ctx.set(top.i, 30)
        seen.append(ctx.get(top.o))

    simulator = Simulator(top)
    simulator.add_testbench(bench)
    simulator.run()
    assert seen == [42]


def test_copies_that_are_not_elaborated_do_not_warn() -> None:
    gc.collect()  # what other tests left
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rtlil(Parent([Stage(1), Stage(1)]), "top")
        gc.collect()


class Hidden(Stage):
    def __init__(self, depth: int) -> None:
        super().__init__(depth + 1)


class Anything(Stage):
    def __init__(self, *steps: int) -> None:
        self.steps = steps
        super().__init__(sum(steps))


class Changed(wiring.Component):
    """Forgets what it was made with."""

    i: Signal
    o: Signal

    def __init__(self, width: int) -> None:
        self.width = 0
        super().__init__({"i": In(width), "o": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.eq(self.i)
        return m


class OtherDomain(Stage):
    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.fast = ClockDomain(local=True)
        fast = Signal()
        m.d.comb += fast.eq(self.i.low[0])
        m.d.slow += self.o.eq(fast)
        return m


@pytest.mark.parametrize(
    ("parts", "error", "said"),
    [
        ([Hidden(1)], TypeError, "Hidden must keep its argument depth"),
        ([Parent([])], TypeError, "Parent.parts must be immutable"),
        ([Anything(1, 2)], TypeError, r"takes \*steps"),
        ([Changed(4), Changed(8)], TypeError, "same arguments, other ports"),
        ([OtherDomain(1)], ValueError, "other clock domains than sync: .*slow"),
    ],
)
def test_what_cannot_be_shared_is_refused(parts: list, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        rtlil(Parent(parts), "top")


def test_field_names_stay_where_the_signal_has_its_own() -> None:
    class Two(wiring.Component):
        i: data.View
        o: Signal

        def __init__(self) -> None:
            super().__init__({"i": In(PAIR), "o": Out(8)})

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.submodules.part = part = Stage(1)
            m.d.comb += [part.i.eq(self.i), self.o.eq(part.o)]
            return m

    text = rtlil(Two(), "top")
    top = text[text.index("module \\top\n") :]
    assert "wire width 4 \\i.low\n" in top
    assert re.search(r"wire width 8 \\i\$\d+\n", top)
    assert not re.search(r"\\i\$\d+\.", top)


def test_verilog_says_nothing_of_where_and_when_it_was_made() -> None:
    text = verilog(Parent([Stage(1), Stage(1)]), "top")
    assert text.startswith("// top: generated")
    assert text == verilog(Parent([Stage(1), Stage(1)]), "top")
    assert not re.search(r"Yosys|\.cc|\.py|src|Amaranth \d|/\*", text)
    assert len(re.findall(r"^module ", text, re.M)) == 2


def test_snake_case() -> None:
    names = ("Fp16Key", "LookupEngine", "Lane")
    assert [snake_case(name) for name in names] == ["fp16_key", "lookup_engine", "lane"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("read_rtlil none.il", "a trial: Yosys says: File `none.il' not found"),
        ("frobnicate", "No such command: frobnicate"),
        ("exec -- kill -SEGV $PPID", "was ended by SIGSEGV"),
        ("exec -- sleep 60", "a trial: the time was over and Yosys was stopped"),
        (f"exec -- {BUSY}", "a trial: the time was over and Yosys was stopped"),
    ],
)
def test_failing_yosys_becomes_one_sentence(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden.base.process, "IDLE_SECONDS", 2)
    with pytest.raises(ToolError, match=re.escape(said)):
        run_yosys(tmp_path, [command], task="a trial", timeout=2)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("frobnicate", "a trial: ABC says: unknown command 'frobnicate'"),
        ("! sleep 60", "a trial: the time was over and ABC was stopped"),
    ],
)
def test_failing_abc_becomes_one_sentence(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden.base.process, "IDLE_SECONDS", 2)
    with pytest.raises(ToolError, match=re.escape(said)):
        run_abc(tmp_path, [command], task="a trial", timeout=2)


def test_missing_yosys_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateware.yosys, "CHILD", gateware.yosys.CHILD.replace("pyosys", "pyosis"))
    with pytest.raises(ToolError, match="the package pyosys is not installed"):
        run_yosys(tmp_path, [], task="a trial", timeout=30)
    assert "pyosys" not in sys.modules
