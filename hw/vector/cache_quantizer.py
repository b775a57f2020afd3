"""Cache quantiser: a head's vector becomes codes of four bits and a scale."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.cache_codes import FP16_BIAS
from golden.exact.spec import require_int
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.formats import INDEX_BITS
from hw.stream.component import Component, InStream, Out, OutStream
from hw.token.token_scale import FACTOR
from hw.vector.cache_bounds import BOUND_BITS, THRESHOLDS, CacheBounds
from hw.vector.cache_scale import CacheScale
from hw.vector.vector_spec import COUNT_BITS, VectorRead, VectorSpec

SUM_LANES = 4


class CacheQuantizer(Component):
    """Turn a head's vector, read from the vector memory, into what is kept of it.

    Bit-exact with :func:`golden.exact.cache_codes.cache_codes`. The vector is read twice: for the
    sum of its absolute values, which makes the scale, and for the codes, which are found by
    comparing with thresholds times the scale.

    Parameters
    ----------
    spec : VectorSpec
        Sizes of the memory; ``spec.lanes`` codes come out side by side. The sum takes up to
        ``SUM_LANES`` numbers a cycle, as those are what costs most.
    numbers_max : int
        Most numbers of a vector.

    Timing
    ------
    Latency : count / ``sum_lanes`` + ``preparation`` cycles from the first cycle in which
        ``i.valid`` is high to ``o.valid``.
    Rate : one item of ``o`` per cycle while ``o.ready`` is high; an instruction is taken in the
        cycle after its last item.
    Through paths : ``i.payload`` and ``i.valid`` to ``read``; ``o.ready`` to ``read``;
        combinational.
    Reset : drops the instruction under way.
    """

    i = InStream(lambda c: c.instruction)
    """``a``: the vector's first word; ``count`` of its numbers, whole words; ``factor`` and
    ``thresholds`` of :class:`golden.exact.cache_codes.CacheFormat`. Taken when all is done.
    """
    read = Out(lambda c: VectorRead(c.spec))
    """Vector memory."""
    o = OutStream(lambda c: c.item)
    """Codes, the first one lowest: sign in bit 3, magnitude below."""
    scale = Out(16)
    """Scale of all codes, an FP16 pattern; from the first code on until the next instruction."""
    idle = Out(1)
    """Whether no instruction is under way."""

    def __init__(self, spec: VectorSpec, numbers_max: int) -> None:
        require_int("numbers_max", numbers_max, low=spec.word_lanes, high=1 << 16)
        self.spec, self.numbers_max = spec, numbers_max
        self.instruction = data.StructLayout(
            {
                "a": spec.address_bits,
                "count": COUNT_BITS,
                "factor": FACTOR,
                "thresholds": THRESHOLDS,
            }
        )
        codes = data.ArrayLayout(INDEX_BITS, spec.lanes)
        self.item = data.StructLayout({"codes": codes, "last": 1})
        self.sum_lanes = min(spec.lanes, SUM_LANES)
        self.scaler = CacheScale(self.sum_lanes, numbers_max)
        self.preparation = self.scaler.latency + CacheBounds.LATENCY + 2
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        scaler = self.put(m, "scaler", self.scaler, factor=self.i.payload.factor)
        bounds = self.put(m, "bounds", CacheBounds(), thresholds=self.i.payload.thresholds)
        scale = scaler.o.payload
        m.d.comb += [
            bounds.i.payload.eq(scale),
            self.scale.eq(Cat(scale.mantissa[:-1], (scale.exponent + FP16_BIAS)[:6])),
        ]
        start, go, coding, done = Signal(), Signal(), Signal(), Signal()
        there, last, lanes, addends = self._read(m, start, go, coding)
        for lane, addend in zip(scaler.i.payload.lanes, addends, strict=True):
            m.d.comb += lane.eq(addend)
        m.d.comb += [scaler.i.payload.last.eq(last), scaler.i.valid.eq(there & ~coding)]
        advance = self._code(m, there & coding, last, lanes, bounds.o.payload)
        m.d.comb += [go.eq(~coding | advance), self.i.ready.eq(done)]
        with m.FSM(name="phase"):
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                with m.If(self.i.valid):
                    # The scale of the vector before stands until now.
                    m.d.comb += [start.eq(1), scaler.o.ready.eq(1)]
                    m.next = "SCALE"
            with m.State("SCALE"):
                m.d.comb += bounds.i.valid.eq(scaler.o.valid)
                with m.If(bounds.o.valid):
                    m.d.comb += start.eq(1)
                    m.next = "CODE"
            with m.State("CODE"):
                m.d.comb += coding.eq(1)
                with m.If(self.o.valid & self.o.ready & self.o.payload.last):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += [done.eq(1), bounds.o.ready.eq(1)]
                m.next = "IDLE"

    def _read(
        self, m: Module, start: Value, go: Value, coding: Value
    ) -> tuple[Value, Value, list[Value], list[Value]]:
        """Read the vector; return whether numbers are there, and whether those are the last ones.

        Then come the numbers for codes, and those of them for the sum.
        """
        spec, vector = self.spec, self.i.payload
        there, word = Signal(), Signal(spec.address_bits)
        # One bit for each part of a word that makes codes, and of such a part that is added up.
        pieces = spec.lanes // self.sum_lanes
        part = Signal(spec.steps, init=1)
        piece = Signal(pieces, init=1) if pieces > 1 else Const(1, 1)
        whole = wire(m, coding | piece[-1], "whole")
        words = vector.count[exact_log2(spec.word_lanes) :]
        ends = wire(m, whole & part[-1], "ends")
        final = wire(m, word == words, "final")
        following = wire(m, there & go & ends & ~final, "following")
        m.d.comb += [
            self.read.en.eq(start | following),
            self.read.address.eq(vector.a + word),
        ]
        with m.If(start):
            m.d.sync += there.eq(1)
        with m.Elif(there & go & ends & final):
            m.d.sync += [there.eq(0), word.eq(0)]
        with m.If(self.read.en):
            m.d.sync += word.eq(word + 1)
        with m.If(there & go):
            if pieces > 1:
                m.d.sync += piece.eq(Mux(coding, piece, piece.rotate_left(1)))
            with m.If(whole):
                m.d.sync += part.eq(part.rotate_left(1))
        lanes = _chosen(m, self.read.data.as_value(), part, "lane")
        return there, ends & final, lanes, _chosen(m, Cat(lanes), piece, "addend")

    def _code(self, m: Module, valid: Value, last: Value, lanes: list[Value], bounds: Any) -> Value:
        """Let codes of numbers out; return whether they may come."""
        advance = wire(m, ~self.o.valid | self.o.ready, "advance")
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(valid), self.o.payload.last.eq(last)]
        for n, lane in enumerate(lanes):
            size, finite = lane[:BOUND_BITS], wire(m, ~lane[10:BOUND_BITS].all(), f"finite{n}")
            reached = wire(m, Cat(size >= bound for bound in bounds), f"reached{n}")
            code = Cat(_magnitude(reached), lane[BOUND_BITS]) & finite.replicate(INDEX_BITS)
            with m.If(advance):
                m.d.sync += self.o.payload.codes[n].eq(code)
        return advance


def _chosen(m: Module, numbers: Value, parts: Value, name: str) -> list[Value]:
    """Return those of some numbers that stand in the part whose bit is set."""
    size = len(numbers) // len(parts)
    bits = choose(*((bit, numbers.word_select(n, size)) for n, bit in enumerate(parts)))
    return [wire(m, bits.word_select(n, 16), f"{name}{n}") for n in range(size // 16)]


def _magnitude(reached: Value) -> Value:
    """Return how many bounds are reached, of seven that ascend."""
    one, two, three, four, five, six, seven = reached
    return Cat(one & ~two | three & ~four | five & ~six | seven, two & ~four | six, four)
