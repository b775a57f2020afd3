"""Row maker: the products of one activation of 8 bits with all weight centroids."""

from amaranth.hdl import Module, Mux, Signal, Value

from golden.exact.spec import GRID_BITS
from hw.arith.wires import wire
from hw.linear.lookup.row_source import RowSource
from hw.stream.component import In


class RowMaker(RowSource):
    """Multiply what one input lane looks up in during a beat.

    The counterpart of :class:`hw.linear.lookup.row_select.RowSelect`, without a product table; the
    row is shared by all output lanes, and so are its multipliers. Bit-exact with
    :func:`golden.exact.grid.made_rows`.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one row per cycle.
    Through paths : every input to ``row``, combinational.
    Reset : no state.
    """

    w_centroids = In(lambda c: c.spec.weight_codebook)
    """Weight codebook; of a symmetric one the positive half."""

    def own_row(self, m: Module) -> Value:
        """Return the products; the code has its magnitude in bits 0 to 6, its sign in bit 7."""
        magnitude, sign = self.code[:-1], self.code[-1]
        symmetric = self.spec.numbers.symmetric
        made = Signal(self.spec.row)
        for n in range(self.spec.entries):
            if symmetric:
                m.d.comb += made.entries[n].eq(self._product(m, magnitude, self.w_centroids[n], n))
            else:
                size = wire(m, abs(self.w_centroids[n]), f"size_{n}")
                product = self._product(m, magnitude, size, n)
                negative = sign ^ self.w_centroids[n][-1]
                m.d.comb += made.entries[n].eq(Mux(negative, -product, product))
        if symmetric:
            m.d.comb += made.sign.eq(sign)
        return made.as_value()

    @staticmethod
    def _product(m: Module, magnitude: Value, centroid: Value, n: int) -> Value:
        """Return the product of two magnitudes, less its seven lowest bits; halves round up."""
        product = wire(m, magnitude * centroid + (1 << (GRID_BITS - 2)), f"product_{n}")
        return product[GRID_BITS - 1 :]
