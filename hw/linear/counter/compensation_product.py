"""Compensation product: a residual times a weight centroid, rounded to table units."""

from amaranth.hdl import Const, Module, Signal

from golden.exact.spec import A_FRACTION_BITS, CENTROID_BITS
from hw.arith.columns import Columns, compress, register, rows, sum_of_parts, two_each
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized

MAGNITUDE_BITS = CENTROID_BITS - 1
LEVELS = 6  # of full adders, which leave three bits in a column


class CompensationProduct(Sized[CounterSpec]):
    """Multiply two magnitudes; bit-exact with :func:`golden.exact.residual.residual_rows`.

    Timing
    ------
    Latency : ``LATENCY`` cycles.
    Rate : one product per cycle.
    Through paths : none.
    Reset : none needed.
    """

    LATENCY = 2

    residual = In(lambda c: c.spec.residual.members["magnitude"])
    """Magnitude of a residual, in units of 2**-10."""
    centroid = In(MAGNITUDE_BITS)
    """Magnitude of a weight centroid."""
    product = Out(lambda c: c.spec.residual_bits)
    """In table units, halves rounded up."""

    def build(self, m: Module) -> None:  # noqa: D102
        shift = A_FRACTION_BITS + self.spec.numbers.w_fraction_bits
        bits = len(self.residual) + MAGNITUDE_BITS
        columns: Columns = [[] for _ in range(bits)]
        for place, bit in enumerate(self.centroid):
            partial = self.residual & bit.replicate(len(self.residual))
            for weight, term in enumerate(partial, place):
                columns[weight].append(term)
        columns[shift - 1].append(Const(1, 1))  # rounds halves up; the product leaves room
        three = compress(m, columns, "product", levels=LEVELS, width=bits)
        a, b = rows(register(m, two_each(m, three, "last"), "two"))
        rounded = Signal(bits - shift, reset_less=True)
        whole = sum_of_parts(m, a, b, "whole", 3 * bits // 8, 2 * bits // 3)
        m.d.sync += rounded.eq(whole[shift:bits])
        m.d.comb += self.product.eq(rounded)
