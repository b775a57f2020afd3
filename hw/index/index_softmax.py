"""Softmax on indices: rows of scores become indices, and the sums of what those stand for."""

from amaranth.hdl import Module
from amaranth.lib import data

from golden.exact.index_statistics import CONSTANT_BITS, INDICES
from hw.index.index_sum import IndexSum, sum_bits, sum_latency
from hw.index.score_quantizer import ScoreQuantizer, row_beats, row_latency
from hw.stream.component import Component, In, InStream, OutStream


class IndexSoftmax(Component):
    """Give the index of each score of a row, and the sum of the row's powers.

    Bit-exact with :func:`golden.exact.index_softmax.softmax_indices`. The indices are activations
    of the lookup array, which has the powers for a codebook; the sum divides its outputs.

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
    Latency : ``latency`` cycles from the transfer of a row's last beat to its first indices; then
        a beat per cycle, and ``sum_latency`` cycles after the last one the sum.
    Rate : one beat per cycle while ``o.ready`` is high; rows as :class:`IndexSum` takes vectors.
    Through paths : none.
    Reset : drops the rows under way.
    """

    powers = In(data.ArrayLayout(CONSTANT_BITS, INDICES))
    """What the indices stand for, in units of 2**-15; steady while rows are under way."""
    i = InStream(lambda c: c.beat)
    """FP16 scores, and which of them the row has. ``last`` marks a row's last beat."""
    o = OutStream(lambda c: c.indices)
    """Their indices; 0 in lanes that the row has not."""
    sums = OutStream(lambda c: sum_bits(c.lanes * c.longest))
    """The sum of each row's powers, in units of 2**-15; 0 of a row that is masked."""

    def __init__(self, lanes: int, longest: int, thresholds: tuple[int, ...]) -> None:
        self.lanes, self.longest, self.thresholds = lanes, longest, thresholds
        self.beat, self.indices = row_beats(lanes, longest)
        self.latency, self.sum_latency = row_latency(lanes), sum_latency(lanes * longest)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        lanes, longest = self.lanes, self.longest
        quantizer = self.put(m, "quantizer", ScoreQuantizer(lanes, longest, self.thresholds))
        total = self.put(m, "sum", IndexSum(lanes, lanes * longest), constants=self.powers)
        found = quantizer.o
        m.d.comb += [
            quantizer.i.payload.eq(self.i.payload),
            quantizer.i.valid.eq(self.i.valid),
            self.i.ready.eq(quantizer.i.ready),
            self.o.payload.eq(found.payload),
            self.o.valid.eq(found.valid & total.i.ready),
            # Index 0 counts for nothing, so that all lanes may count.
            total.i.payload.indices.eq(found.payload.indices),
            total.i.payload.used.eq(-1),
            total.i.payload.last.eq(found.payload.last),
            total.i.valid.eq(found.valid & self.o.ready),
            found.ready.eq(self.o.ready & total.i.ready),
            self.sums.payload.eq(total.o.payload.total),
            self.sums.valid.eq(total.o.valid),
            total.o.ready.eq(self.sums.ready),
        ]
