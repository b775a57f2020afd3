"""Lookup lane: the tree of one output channel, and its accumulator."""

from collections import defaultdict

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data

from hw.arith.column_sum import sum_columns
from hw.arith.wires import wire
from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS
from hw.linear.lookup.lookup_tree import LookupTree
from hw.stream.component import In, Out, Sized

GROUP = 4  # input lanes whose sum fits into a cycle, behind rows that go to 64 lanes


class LookupLane(Sized[EngineSpec]):
    """Sum one output channel over the beats of a tile.

    Three stages that never wait: sums over groups of input lanes, the sum of the beat, the
    accumulator. Longer sums would not fit between two edges of the clock; registers that could
    be held would take a multiplexer a bit, and signals that reach them all.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``rows`` and ``weights`` to ``total``, one from ``valid``.
    Rate : one beat per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a sum.
    """

    LATENCY = 3

    rows = In(lambda c: data.ArrayLayout(c.spec.row, c.spec.inputs_per_beat))
    """As for :class:`hw.linear.lookup.lookup_tree.LookupTree`."""
    weights = In(lambda c: data.ArrayLayout(INDEX_BITS, c.spec.inputs_per_beat))
    """As for :class:`hw.linear.lookup.lookup_tree.LookupTree`."""
    valid = In(1)
    """Whether the ``rows`` and ``weights`` of two cycles before were a beat; otherwise the
    accumulator keeps what it has.
    """
    first = In(1)
    """That beat, or the next if there is none, is the tile's first."""
    digit = In(lambda c: range(c.spec.residual_digits))
    """Weight of its sum: 2**(magnitude_bits * digit)."""
    total = Out(lambda c: c.spec.lane_sum)
    """The accumulator."""

    def __init__(self, spec: EngineSpec) -> None:
        self.group = min(GROUP, spec.inputs_per_beat)
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        numbers, bits = self.spec.numbers, self.spec.sum_bits
        beat_sum = self._beat_sum(m)
        weighted = Signal(signed(bits))
        with m.If(self.valid), m.Switch(self.digit):
            for digit in range(self.spec.residual_digits):
                with m.Case(digit):
                    m.d.comb += weighted.eq(beat_sum << (digit * numbers.magnitude_bits))

        # Two halves; a carry from the lower one waits for the next beat, or leaves as it is.
        place = self.spec.carry_place
        low = Signal(place, reset_less=True)
        high = Signal(signed(self.spec.sum_bits - place), reset_less=True)
        waiting = Signal(reset_less=True)
        before = [Mux(self.first, 0, part) for part in (low, high, waiting)]
        m.d.sync += [
            Cat(low, waiting).eq(before[0] + weighted[:place]),
            high.eq(before[1] + weighted[place:] + before[2]),
        ]
        m.d.comb += [self.total.sum.eq(Cat(low, high)), self.total.carry.eq(waiting)]

    def _beat_sum(self, m: Module) -> Signal:
        """Return the register that holds the sum over a beat."""
        columns: defaultdict[int, list[Value]] = defaultdict(list)
        for first in range(0, self.spec.inputs_per_beat, self.group):
            *low, sign = self._group_sum(m, first)
            # With its sign inverted a sum is one without sign, too large by half of its range.
            for place, bit in enumerate([*low, ~sign]):
                columns[place].append(bit)
        total = wire(m, sum_columns(m, columns, self.spec.tree_bits, "beat"), "beat")
        beat_sum = Signal(signed(self.spec.tree_bits), reset_less=True)
        m.d.sync += beat_sum.eq(Cat(total[:-1], ~total[-1]))
        return beat_sum

    def _group_sum(self, m: Module, first: int) -> Signal:
        """Return the register that holds the sum over a group of input lanes."""
        tree = self.put(m, f"tree{first}", LookupTree(self.spec, self.group))
        group_sum = Signal(tree.sum.shape(), name=f"sum{first}", reset_less=True)
        for n in range(self.group):
            m.d.comb += [
                tree.rows[n].eq(self.rows[first + n]),
                tree.weights[n].eq(self.weights[first + n]),
            ]
        m.d.sync += group_sum.eq(tree.sum)
        return group_sum
