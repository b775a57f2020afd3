"""Score quantiser: rows of scores become the indices of their powers."""

import itertools
from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.index_softmax import DISTANCE_MAX, SCORE_BITS, require_thresholds
from golden.exact.index_statistics import INDEX_BITS
from golden.exact.spec import require_int
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.formats import require_power_of_two
from hw.stream.component import Component, InStream, OutStream
from hw.stream.pipeline import later
from hw.stream.queue import Queue
from hw.stream.stage import Stage

MAGNITUDE = SCORE_BITS - 1  # bits of a score's magnitude
LEVELS = 2  # of comparisons in a cycle
DISTANCE_BITS = DISTANCE_MAX.bit_length()


class ScoreQuantizer(Component):
    """Find the largest score of a row, then each score's index by how far it lies below.

    Bit-exact with :func:`golden.exact.index_softmax.softmax_indices`. The row waits in a memory,
    as integers of 14 bits, until its largest score is known; the next one comes in meanwhile.

    Parameters
    ----------
    lanes : int
        Scores of a beat: a power of two, 1 to 64.
    longest : int
        Beats of the longest row, from 2 on.
    thresholds : tuple of 14 int
        As :class:`golden.exact.index_softmax.SoftmaxCodes` has them.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of a row's last beat to its first indices.
    Rate : one beat per cycle; a row waits until the one before the last is out.
    Through paths : none.
    Reset : drops the rows under way.
    """

    i = InStream(lambda c: c.beat)
    """FP16 scores, and which of them the row has. ``last`` marks a row's last beat."""
    o = OutStream(lambda c: c.indices)
    """Their indices; 0 in lanes that the row has not."""

    def __init__(self, lanes: int, longest: int, thresholds: tuple[int, ...]) -> None:
        require_thresholds(thresholds)
        self.lanes, self.longest, self.thresholds = lanes, longest, thresholds
        self.beat, self.indices = row_beats(lanes, longest)
        self.latency = row_latency(lanes)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        word = data.StructLayout({"units": data.ArrayLayout(SCORE_BITS, self.lanes), "last": 1})
        words = self.put(m, "words", Queue(word, self.longest))
        # Rows whose last beat came in, and whose last indices are not out: two at most.
        rows, valid = Signal(2), Signal()
        done = wire(m, self.o.valid & self.o.ready & self.o.payload.last, "done")
        enters = wire(m, self.i.valid & self.i.ready, "enters")
        stored = wire(m, valid & words.i.ready, "stored")
        m.d.comb += self.i.ready.eq((~valid | words.i.ready) & ~rows[1])
        m.d.comb += words.i.valid.eq(valid)
        m.d.sync += rows.eq(rows + (enters & self.i.payload.last) - done)
        with m.If(~valid | words.i.ready):
            m.d.sync += [valid.eq(enters), words.i.payload.eq(self._entry(m))]
        self._distances(m, words, self._largest(m, stored, words.i.payload))

    def _entry(self, m: Module) -> Value:
        """Return a beat's scores as integers, in the order of what they stand for."""
        beat = self.i.payload
        lanes = [
            score_units(m, beat.scores[n], beat.used[n], f"score{n}") for n in range(self.lanes)
        ]
        return Cat(*lanes, beat.last)

    def _largest(self, m: Module, valid: Value, word: data.View) -> Stage:
        """Return a stage that keeps the largest score of the row that is read, 0 if it has none."""
        found: list[Value] = [word.units[n] for n in range(self.lanes)]
        last, level = word.last, 0
        while len(found) > 1:
            found = [larger(m, *pair) for pair in zip(found[::2], found[1::2], strict=True)]
            level += 1
            if level % LEVELS == 0 or len(found) == 1:
                held = [Signal.like(one, name=f"held{level}", reset_less=True) for one in found]
                m.d.sync += [one.eq(value) for one, value in zip(held, found, strict=True)]
                valid, last = later(m, valid, 1, reset_less=False), later(m, last, 1)
                found = [*held]
        most, anew, done = Signal(SCORE_BITS), Signal(init=1), Signal()
        head = self.put(m, "head", Stage(SCORE_BITS))
        m.d.comb += [head.i.valid.eq(done), head.i.payload.eq(most)]
        with m.If(done & head.i.ready):
            m.d.sync += done.eq(0)
        with m.If(valid):
            before = wire(m, most & ~anew.replicate(SCORE_BITS), "before")
            m.d.sync += [most.eq(larger(m, before, found[0])), anew.eq(last), done.eq(last)]
        return head

    def _distances(self, m: Module, words: Queue, head: Stage) -> None:
        """Take the scores from their row's largest; what is left says their indices."""
        advance = wire(m, ~self.o.valid | self.o.ready, "advance")
        taken = wire(m, words.o.valid & head.o.valid & advance, "taken")
        word, most = words.o.payload, head.o.payload
        m.d.comb += [words.o.ready.eq(taken), head.o.ready.eq(taken & word.last)]
        with m.If(advance):
            m.d.sync += [self.o.valid.eq(taken), self.o.payload.last.eq(word.last)]
        for n in range(self.lanes):
            units = word.units[n]
            below = wire(m, (most - units)[:SCORE_BITS], f"below{n}")
            far = wire(m, below[DISTANCE_BITS:].any() | ~units.any(), f"far{n}")
            distance = Signal(DISTANCE_BITS, name=f"distance{n}", reset_less=True)
            with m.If(advance):
                m.d.sync += distance.eq(below[:DISTANCE_BITS] | far.replicate(DISTANCE_BITS))
            m.d.comb += self.o.payload.indices[n].eq(index_of(m, distance, self.thresholds))


def row_beats(lanes: int, longest: int) -> tuple[data.StructLayout, data.StructLayout]:
    """Return the layouts of a beat of scores and of one of indices, for rows of so many beats."""
    require_power_of_two("lanes", lanes, low=1, high=64)
    require_int("longest", longest, low=2, high=1 << 16)
    scores, indices = (data.ArrayLayout(bits, lanes) for bits in (16, INDEX_BITS))
    return (
        data.StructLayout({"scores": scores, "used": lanes, "last": 1}),
        data.StructLayout({"indices": indices, "last": 1}),
    )


def row_latency(lanes: int) -> int:
    """Return the latency of a :class:`ScoreQuantizer`."""
    return 4 + -(-exact_log2(lanes) // LEVELS)


def score_units(m: Module, score: Value, used: Value, name: str) -> Value:
    """Return an FP16 score in units of 1/16, above -8192; 0 is one that is not there."""
    sign, exponent = score[15], score[10:15]
    upper = exponent[3:]
    # 1024 is 2**-5 of the mantissa's two bits more: exponents of 23 leave it where it is.
    shifted = wire(m, Cat(Const(0, 2), score[:10], 1) >> ~exponent[:3], f"{name}_by7")
    far = wire(m, Mux(upper[0], shifted >> 8, shifted), f"{name}_by15")
    some, beyond = upper.any(), upper.all()
    magnitude = wire(
        m,
        (far & some.replicate(MAGNITUDE)) | beyond.replicate(MAGNITUDE),
        f"{name}_magnitude",
    )
    units = wire(m, Cat(magnitude ^ sign.replicate(MAGNITUDE), ~sign), f"{name}_units")
    there = wire(m, used & ~(exponent.all() & (sign | score[:10].any())), f"{name}_there")
    return wire(m, Cat(units[0] | ~units.any(), units[1:]) & there.replicate(SCORE_BITS), name)


def larger(m: Module, a: Value, b: Value) -> Value:
    """Return the larger of two unsigned numbers."""
    return wire(m, Mux(wire(m, b > a, "beyond"), b, a), "larger")


def index_of(m: Module, distance: Value, thresholds: Sequence[int]) -> Value:
    """Return the index of a distance: 15 less how many thresholds it reaches."""
    reached = [distance >= bound for bound in (1, *thresholds)]
    steps = [~reached[0], *(a & ~b for a, b in itertools.pairwise(reached))]
    steps = [wire(m, step, f"index{15 - n}") for n, step in enumerate(steps)]
    return choose(*((step, Const(15 - n, INDEX_BITS)) for n, step in enumerate(steps)))
