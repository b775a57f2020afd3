"""Longest paths: by OpenSTA and by ABC's estimate."""
# ruff: noqa: D101, D102

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import synth.timing.sta
from gateware.design import Design
from golden.base.cache import Cache
from golden.base.errors import ToolError
from golden.base.tools import Tool
from synth.area.area import Area
from synth.area.measure import measure_all
from synth.area.measure_design import measure
from synth.libraries.liberty import Library
from synth.mapping.netlist import CutNetlist, Gate, Place, Register
from synth.timing.buffers import FAN_OUT, put_buffers
from synth.timing.timing import ESTIMATE, MOST_CELLS, method

MISSING = Tool(name="sta", purpose="", get="", problem="not here")
Measure = Callable[[wiring.Component], Area]


def design_of(component: wiring.Component) -> Design:
    return Design(name="dut", make=lambda: component)


@pytest.fixture(params=["opensta", "abc"])
def timer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make OpenSTA or ABC time the test's designs."""
    if request.param == "abc":
        monkeypatch.setattr(synth.timing.sta, "opensta", lambda: MISSING)
    elif not synth.timing.sta.opensta().will_do:
        pytest.skip(f"no OpenSTA: {synth.timing.sta.opensta().problem}")
    return request.param


@pytest.fixture
def area_of(library: Library) -> Measure:
    """Return a function that measures a component, whatever is known of it."""

    def of(component: wiring.Component) -> Area:
        return measure_all([design_of(component)], library, cache=Cache(None))[0]

    return of


class Accumulator(wiring.Component):
    i: Signal
    o: Signal

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__({"i": In(bits), "o": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        operand = Signal(self.bits, reset_less=True)
        total = Signal(self.bits, reset_less=True)
        m.d.sync += [operand.eq(self.i), total.eq(total + operand)]
        m.d.comb += self.o.eq(total)
        return m


class Delay(wiring.Component):
    """A register that ``copies`` others take, in a way that no two are the same."""

    i: Signal
    o: Signal

    def __init__(self, copies: int) -> None:
        self.copies = copies
        super().__init__({"i": In(copies + 1), "o": Out(copies)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal(reset_less=True)
        out = Signal(self.copies, reset_less=True)
        m.d.sync += held.eq(self.i[-1])
        m.d.sync += [out[n].eq(held & self.i[n] if n else held) for n in range(self.copies)]
        m.d.comb += self.o.eq(out)
        return m


def test_longest_path_runs_through_full_adders(timer: str, area_of: Measure) -> None:
    areas = [area_of(Accumulator(bits)) for bits in (8, 16, 24)]
    for area, bits in zip(areas, (8, 16, 24), strict=True):
        assert area.path_start in ("operand[0]", "total[0]")
        assert area.path_end == f"o[{bits - 1}]"
        assert area.delay_fo4 == pytest.approx(area.delay_ps / area.fo4_ps)
    steps = [later.delay_ps - sooner.delay_ps for sooner, later in pairwise(areas)]
    # A ripple of carries: eight bits more take eight carries more.
    assert steps[0] == pytest.approx(steps[1], rel=0.02)
    assert 8 * 100 < steps[0] < 8 * 400


def test_method_is_named(timer: str, area_of: Measure) -> None:
    name = area_of(Accumulator(2)).timing
    assert name == method() == (ESTIMATE if timer == "abc" else synth.timing.sta.method())
    assert (timer == "abc") != name.startswith("OpenSTA 2")


def test_registers_take_time_only_in_a_real_analysis(timer: str, area_of: Measure) -> None:
    """From register to register without a gate: clock to output, and set-up time."""
    area = area_of(Delay(1))
    if timer == "abc":
        assert area.delay_ps == 0
    else:
        assert 1 < area.delay_fo4 < 8
        assert (area.path_start, area.path_end) == ("held", "o")


def test_many_pins_are_reached_through_buffers(
    timer: str, area_of: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffered = area_of(Delay(300))
    assert buffered.path_start == "held"
    assert 3 < buffered.delay_fo4 < 25
    monkeypatch.setattr("synth.timing.buffers.FAN_OUT", 1000)
    bare = area_of(Delay(300))
    assert bare.area == buffered.area
    # One register would have to drive them all; ABC's estimate does not see that.
    assert (bare.delay_fo4 > 2 * buffered.delay_fo4) == (timer == "opensta")


@pytest.mark.parametrize("pins", [FAN_OUT, FAN_OUT + 1, 20 * FAN_OUT + 3])
def test_buffers_leave_cells_as_they_are(pins: int, library: Library) -> None:
    """Each net has few pins then, each pin its old source, and each cell its kind."""
    names = [f"d{n}" for n in range(pins)]
    place = Place("", "dut", 7)
    registers = [Register("DFFPOSX1", {"D": "n1"}, {"Q": name}, place) for name in names]
    cut = CutNetlist(
        starts={"n0": place, **dict.fromkeys(names, place)},
        ends={"n1": place},
        gates=[Gate("INVX1", {"A": "n0"}, {"Y": "n1"})],
        registers=registers,
        stored=set(names),
    )
    put_buffers(cut, library)
    first, *buffers = cut.gates
    assert (first.kind, first.inputs) == ("INVX1", {"A": "n0"})
    assert {one.kind for one in buffers} == ({"BUFX2"} if pins > FAN_OUT else set())
    source = {one.outputs["Y"]: one.inputs["A"] for one in buffers}
    taken = [one.inputs["D"] for one in registers]
    assert max(Counter([*taken, *source.values()]).values()) <= FAN_OUT
    assert set(taken) <= cut.ends.keys()
    for net in taken:
        while net in source:
            net = source[net]
        assert net == "n1"


def test_large_designs_are_timed_by_component(
    timer: str, area_of: Measure, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_CELLS > 1_000_000
    monkeypatch.setattr("synth.timing.timing.MOST_CELLS", 10)
    area = area_of(Accumulator(16))
    assert area.timing == f"{method()}, each component alone"
    assert area.path_end == "dut: o[15]"


def test_failing_tool_is_one_sentence(
    area_of: Measure, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    if not synth.timing.sta.opensta().will_do:
        pytest.skip("no OpenSTA")
    broken = tmp_path / "sta"
    broken.write_text("#!/bin/sh\necho no licence\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ToolError, match="OpenSTA gives no path; it says: no licence"):
        area_of(Accumulator(2))


def test_same_result_through_the_one_way(library: Library) -> None:
    assert measure(design_of(Accumulator(4)), library).delay_ps > 0
