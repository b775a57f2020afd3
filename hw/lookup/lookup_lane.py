"""Lookup lane: the tree of one output channel, and its accumulator."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.share import share
from hw.engine_spec import INDEX_BITS, EngineSpec
from hw.lookup.lookup_tree import LookupTree


class LookupLane(wiring.Component):
    """Sum one output channel over the beats of a tile.

    Two stages, which the lookup array moves on: the sum of a beat, then the accumulator.

    Parameters
    ----------
    spec : EngineSpec
        Lanes and widths.

    Ports
    -----
    rows : In(array of spec.row)
        As for :class:`hw.lookup.lookup_tree.LookupTree`.
    weights : In(array of 4-bit codes)
        As for :class:`hw.lookup.lookup_tree.LookupTree`.
    lookup : In(1)
        Keeps the sum over ``rows`` and ``weights``.
    accumulate : In(1)
        Adds the sum that was kept before.
    first : In(1)
        Starts anew with it.
    digit : In(range(residual_digits))
        Weight of that sum: 2**(magnitude_bits * digit).
    total : Out(signed(spec.sum_bits))
        The accumulator.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``lookup`` to ``total``, with ``accumulate`` one after it.
    Rate : one beat per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a sum.
    """

    LATENCY = 2

    rows: data.View
    weights: data.View
    lookup: Signal
    accumulate: Signal
    first: Signal
    digit: Signal
    total: Signal

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        lanes = spec.inputs_per_beat
        ports = {
            "rows": In(data.ArrayLayout(spec.row, lanes)),
            "weights": In(data.ArrayLayout(INDEX_BITS, lanes)),
            "lookup": In(1),
            "accumulate": In(1),
            "first": In(1),
            "digit": In(range(max(spec.numbers.residual_digits, 2))),
            "total": Out(signed(spec.sum_bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        numbers = self.spec.numbers
        tree = LookupTree(self.spec)
        m.submodules.tree = share(platform, tree)
        m.d.comb += [tree.rows.eq(self.rows), tree.weights.eq(self.weights)]

        beat_sum = Signal(signed(self.spec.tree_bits), reset_less=True)
        with m.If(self.lookup):
            m.d.sync += beat_sum.eq(tree.sum)
        weighted = Signal(signed(self.spec.sum_bits))
        with m.Switch(self.digit):
            for digit in range(numbers.residual_digits):
                with m.Case(digit):
                    m.d.comb += weighted.eq(beat_sum << (digit * numbers.magnitude_bits))
        total = Signal(signed(self.spec.sum_bits), reset_less=True)
        with m.If(self.accumulate):
            m.d.sync += total.eq(Mux(self.first, 0, total) + weighted)
        m.d.comb += self.total.eq(total)
        return m
