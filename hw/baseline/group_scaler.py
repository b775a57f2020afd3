"""Scales of groups of input channels: integer sums become FP16 outputs."""

from typing import Any

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, ValueLike
from amaranth.lib import data

from golden.exact.mac import MINUS_ZERO
from hw.baseline.mac_spec import MacSpec
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_from_integer import Fp16FromInteger
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.stream.component import Component, InStream, OutStream

TURNS = 8  # output channels that share a unit: as many as a group has beats
ONE = 0x3C00
BEFORE_ADDING = Fp16FromInteger.STAGES + Fp16Multiply.STAGES


class GroupScaler(Component):
    """Scale the sums of each group of input channels and add them up, all in FP16.

    Bit-exact with :func:`golden.exact.mac.group_scaled_sums`. A unit serves ``TURNS`` output
    channels in turn. Their totals go round through its adder, and where there is nothing to add -0
    is.

    Parameters
    ----------
    spec : MacSpec
        Of an integer array whose tiles are the sums of one group each; ``output_lanes`` is a
        multiple of ``TURNS``.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the cycle in which a group's turn begins, one of ``TURNS``,
        to ``o.valid``.
    Rate : a group every ``TURNS`` cycles, while groups and scales come and ``o`` is taken.
    Through paths : none.
    Reset : empty; drops what is under way.
    """

    LATENCY = BEFORE_ADDING + Fp16Fma.STAGES + TURNS

    i = InStream(lambda c: c.spec.tile)
    """Sums of one group after another."""
    scale_i = InStream(lambda c: c.scales)
    """Their scales: FP16 patterns for the activations and for each channel's weights, and whether
    the group is its outputs' first and last.
    """
    o = OutStream(lambda c: c.outputs)
    """FP16 patterns of the outputs."""

    def __init__(self, spec: MacSpec) -> None:
        if spec.floating or spec.output_lanes % TURNS:
            raise ValueError(f"sums must be integers of a multiple of {TURNS} lanes, got {spec}")
        self.spec = spec
        self.outputs = data.ArrayLayout(16, spec.output_lanes)
        self.scales = data.StructLayout(
            {"activation": 16, "weights": self.outputs, "first": 1, "last": 1}
        )
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        scales = self.scale_i.payload
        turn = Signal(range(TURNS))
        full, going, busy = Signal(), Signal(), Signal()
        begin, active, end = Signal(), Signal(), Signal()
        # A group goes round with the totals: it begins on turn 0 and ends on the last one.
        m.d.sync += [turn.eq(turn + 1), going.eq(active & ~end)]
        m.d.comb += [
            begin.eq((turn == 0) & full & self.scale_i.valid & ~(scales.last & busy)),
            active.eq(begin | going),
            end.eq(going & (turn == TURNS - 1)),
            self.i.ready.eq(~full | end),
            self.scale_i.ready.eq(end),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += full.eq(1)
        with m.Elif(end):
            m.d.sync += full.eq(0)

        adding, adding_first = (
            _delay(m, value, BEFORE_ADDING) for value in (active, scales.first & active)
        )
        done = _delay(m, scales.last & active, BEFORE_ADDING + Fp16Fma.STAGES)
        last_turn = _delay(m, scales.last & end, BEFORE_ADDING + Fp16Fma.STAGES)
        with m.If(begin & scales.last):
            m.d.sync += busy.eq(1)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += busy.eq(0)
        with m.If(last_turn):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

        # The group's scale of activations, when it begins, and when its first product is there.
        early, late = Signal(16, reset_less=True), Signal(16, reset_less=True)
        with m.If(begin):
            m.d.sync += early.eq(scales.activation)
        with m.If(_delay(m, begin, BEFORE_ADDING - 1)):
            m.d.sync += late.eq(early)
        factor = Mux(adding, late, ONE)
        for unit in range(self.spec.output_lanes // TURNS):
            product = self._product(m, unit, active, turn)
            nothing = Const(MINUS_ZERO, 16)
            fma = self.put(m, f"fma{unit}", Fp16Fma(pipelined=True))
            total: Any = fma.o
            for _ in range(TURNS - Fp16Fma.STAGES):
                total = _next(m, total)
            m.d.comb += [
                fma.a.eq(Mux(adding, product, nothing)),
                fma.b.eq(factor),
                fma.c.eq(Mux(adding_first, nothing, total)),
            ]
            outputs = Cat(self.o.payload[unit * TURNS + n] for n in range(TURNS))
            with m.If(done):
                m.d.sync += outputs.eq(Cat(outputs[16:], fma.o))

    def _product(self, m: Module, unit: int, active: Signal, turn: Signal):
        """Return the sums of a unit's channels, one after another, times their weights' scales."""
        lanes = range(unit * TURNS, (unit + 1) * TURNS)
        width = self.spec.result.width
        sums = Signal(TURNS * width, name=f"sums{unit}", reset_less=True)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += sums.eq(Cat(self.i.payload[n] for n in lanes))
        with m.Elif(active):
            m.d.sync += sums.eq(sums >> width)
        number = self.put(m, f"number{unit}", Fp16FromInteger(width, pipelined=True))
        multiply = self.put(m, f"multiply{unit}", Fp16Multiply(pipelined=True))
        scale: Any = Array(self.scale_i.payload.weights[n] for n in lanes)[turn]
        for _ in range(Fp16FromInteger.STAGES):
            scale = _next(m, scale)
        m.d.comb += [number.i.eq(sums[:width]), multiply.a.eq(number.o), multiply.b.eq(scale)]
        return multiply.o


def _next(m: Module, value: Any) -> Signal:
    held = Signal(len(value), reset_less=True, name="held")
    m.d.sync += held.eq(value)
    return held


def _delay(m: Module, value: ValueLike, cycles: int) -> Any:
    for n in range(cycles):
        held = Signal(name=f"delayed{n + 1}")
        m.d.sync += held.eq(value)
        value = held
    return value
