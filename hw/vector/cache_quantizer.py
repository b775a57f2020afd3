"""Cache quantiser: a head's vector becomes codes of four bits and a scale."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.cache_codes import FP16_BIAS, MAGNITUDES
from golden.exact.grid import RECIPROCAL_DROP
from golden.exact.spec import GRID_BITS, require_int
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.formats import INDEX_BITS
from hw.stream.component import Component, InStream, Out, OutStream
from hw.stream.pipeline import Pipeline, Staged
from hw.stream.share import looked_at
from hw.token.grid_unit import DIVISOR, GridUnit, grid_code
from hw.token.reciprocal import Reciprocal
from hw.token.token_scale import FACTOR
from hw.vector.cache_scale import CacheScale
from hw.vector.vector_spec import COUNT_BITS, VectorRead, VectorSpec

THRESHOLDS = data.ArrayLayout(GRID_BITS - 1, MAGNITUDES - 1)


class CacheQuantizer(Component):
    """Turn a head's vector, read from the vector memory, into what is kept of it.

    Bit-exact with :func:`golden.exact.cache_codes.cache_codes`. The vector is read twice: for the
    sum of its absolute values, which makes the scale, and for the codes.

    Parameters
    ----------
    spec : VectorSpec
        Sizes of the memory; ``spec.lanes`` codes come out side by side.
    numbers_max : int
        Most numbers of a vector.

    Timing
    ------
    Latency : with n = count / ``spec.lanes``, n + ``preparation`` + ``behind`` cycles from the
        first cycle in which ``i.valid`` is high to ``o.valid``.
    Rate : one item of ``o`` per cycle while ``o.ready`` is high; an instruction is taken in the
        cycle after its last item.
    Through paths : ``i.payload`` and ``i.valid`` to ``read``; ``o.ready`` to ``read``;
        ``i.payload`` to ``o.payload``; combinational.
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
        self.scaler = CacheScale(spec.lanes, numbers_max)
        self.preparation = self.scaler.latency + Reciprocal.LATENCY + 1
        self.behind = looked_at(GridUnit()).latency
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        scaler = self.put(m, "scaler", self.scaler, factor=self.i.payload.factor)
        reciprocal = self.put(m, "reciprocal", Reciprocal())
        scale = scaler.o.payload
        m.d.comb += [
            scaler.i.payload.last.eq(0),
            reciprocal.i.payload.eq(scale.mantissa),
            self.scale.eq(Cat(scale.mantissa[:-1], (scale.exponent + FP16_BIAS)[:6])),
        ]
        start, go, coding, done = Signal(), Signal(), Signal(), Signal()
        there, last, lanes = self._read(m, start, go)
        for n, lane in enumerate(lanes):
            m.d.comb += scaler.i.payload.lanes[n].eq(lane)
        m.d.comb += [scaler.i.payload.last.eq(last), scaler.i.valid.eq(there & ~coding)]
        divisor = Signal(DIVISOR)
        m.d.comb += [
            divisor.reciprocal.eq(reciprocal.o.payload[RECIPROCAL_DROP:]),
            divisor.exponent.eq(scale.exponent),
        ]
        advance = self._code(m, there & coding, last, lanes, divisor)
        m.d.comb += [go.eq(~coding | advance), self.i.ready.eq(done)]
        with m.FSM(name="phase"):
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(1)
                with m.If(self.i.valid):
                    # The scale of the vector before stands until now.
                    m.d.comb += [start.eq(1), scaler.o.ready.eq(1)]
                    m.next = "SCALE"
            with m.State("SCALE"):
                m.d.comb += reciprocal.i.valid.eq(scaler.o.valid)
                with m.If(scaler.o.valid):
                    m.next = "DIVIDE"
            with m.State("DIVIDE"):
                with m.If(reciprocal.o.valid):
                    m.d.comb += start.eq(1)
                    m.next = "CODE"
            with m.State("CODE"):
                m.d.comb += coding.eq(1)
                with m.If(self.o.valid & self.o.ready & self.o.payload.last):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += [done.eq(1), reciprocal.o.ready.eq(1)]
                m.next = "IDLE"

    def _read(self, m: Module, start: Value, go: Value) -> tuple[Value, Value, list[Value]]:
        """Read the vector; return whether numbers are there, whether the last ones, and them."""
        spec, vector = self.spec, self.i.payload
        there, word = Signal(), Signal(spec.address_bits)
        step = Signal(spec.steps, init=1)  # one bit for each
        words = vector.count[exact_log2(spec.word_lanes) :]
        ends = step[-1]
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
            m.d.sync += step.eq(step.rotate_left(1))
        parts = self.read.data.as_value()
        options = ((bit, parts.word_select(n, 16 * spec.lanes)) for n, bit in enumerate(step))
        bits = choose(*options)
        lanes = []
        for n in range(spec.lanes):
            lanes.append(wire(m, bits.word_select(n, 16), f"lane{n}"))
        return there, ends & final, lanes

    def _code(
        self, m: Module, valid: Value, last: Value, lanes: list[Value], divisor: Any
    ) -> Value:
        """Let codes of numbers out; return whether they may come."""
        advance = wire(m, ~self.o.valid | self.o.ready, "advance")
        pipe = Pipeline(m, advance)
        flags = Signal(data.ArrayLayout(2, self.behind))
        with m.If(advance):
            m.d.sync += flags.eq(Cat(valid, last, flags))
        m.d.comb += Cat(self.o.valid, self.o.payload.last).eq(flags[self.behind - 1])
        for n, lane in enumerate(lanes):
            grid = grid_code(pipe, Staged(lane, 0), divisor)
            finite = pipe.at(Staged(wire(m, ~lane[10:15].all(), f"finite{n}"), 0), grid.depth)
            code = wire(m, grid.value & finite.replicate(GRID_BITS), f"grid{n}")
            m.d.comb += self.o.payload.codes[n].eq(self._magnitude(m, code, str(n)))
        return advance

    def _magnitude(self, m: Module, code: Value, name: str) -> Value:
        """Return the code of a step of the grid: how many thresholds it reaches, and its sign."""
        steps, sign = code[:-1], code[-1]
        reached = (steps >= threshold for threshold in self.i.payload.thresholds)
        count: Value = sum(reached, Const(0, 1))  # pyright: ignore[reportAssignmentType]
        return Cat(wire(m, count[:3], f"magnitude{name}"), sign)
