"""Sum of squares of a vector on indices: counts, their squares, and outliers."""

from amaranth.hdl import Module
from amaranth.lib import data

from golden.exact.index_statistics import CONSTANT_BITS, INDICES
from hw.formats import SCALE
from hw.index.index_squares import FRACTION, START_BITS, TOTAL_BITS, IndexSquares
from hw.index.index_sum import IndexSum
from hw.stream.component import Component, In, InStream, OutStream


class IndexMeanSquare(Component):
    """Count the indices of a vector; add up squares of what they stand for, and of outliers.

    Bit-exact with :func:`golden.exact.index_statistics.square_sum_by_counts`. What it gives is the
    sum: :class:`hw.vector.inverse_unit.InverseUnit` makes the norm's factor of it.

    Parameters
    ----------
    lanes : int
        Elements of a beat: a power of two, 1 to 64.
    longest : int
        Elements of the longest vector: up to 2**14.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``o.valid``, if the outliers
        are done by then, no earlier vector is under way, and the sum's place in the total is not
        below the total; see :meth:`IndexSquares.cycles`.
    Rate : one beat per cycle; vectors as those two take them.
    Through paths : none.
    Reset : drops the vectors under way.
    """

    constants = In(data.ArrayLayout(CONSTANT_BITS, INDICES))
    """Squares of centroids; steady while vectors are under way, as all that follows."""
    fraction = In(FRACTION)
    """Their fraction bits."""
    start = In(START_BITS)
    """What each sum begins with, in units of 2**-30."""
    i = InStream(lambda c: c.beat)
    """Indices, and which of them count: outliers do not. ``last`` marks a vector's last beat."""
    scale = InStream(SCALE)
    """A vector's token scale; taken with its sum."""
    outliers = InStream(lambda c: c.outlier)
    """As :class:`IndexSquares` takes them."""
    o = OutStream(TOTAL_BITS)
    """Sum of squares in units of 2**-30."""

    def __init__(self, lanes: int, longest: int) -> None:
        self.lanes, self.longest = lanes, longest
        self.counts, self.squares = IndexSum(lanes, longest), IndexSquares(longest)
        self.latency = self.counts.latency + self.squares.cycles(0)
        self.beat, self.outlier = self.counts.beat, self.squares.outlier
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        total = self.put(m, "sum", self.counts, constants=self.constants)
        squares = self.put(m, "squares", self.squares, fraction=self.fraction, start=self.start)
        m.d.comb += [
            total.i.payload.eq(self.i.payload),
            total.i.valid.eq(self.i.valid),
            self.i.ready.eq(total.i.ready),
            squares.outliers.payload.eq(self.outliers.payload),
            squares.outliers.valid.eq(self.outliers.valid),
            self.outliers.ready.eq(squares.outliers.ready),
            squares.sums.payload.total.eq(total.o.payload.total),
            squares.sums.payload.scale.eq(self.scale.payload),
            squares.sums.valid.eq(total.o.valid & self.scale.valid),
            total.o.ready.eq(squares.sums.ready),
            self.scale.ready.eq(squares.sums.ready),
            self.o.payload.eq(squares.o.payload),
            self.o.valid.eq(squares.o.valid),
            squares.o.ready.eq(self.o.ready),
        ]
