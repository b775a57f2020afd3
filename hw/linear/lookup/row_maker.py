"""Row maker: the products of one activation of 8 bits with all weight centroids."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.exact.spec import GRID_BITS
from hw.arith.bits import choose
from hw.arith.columns import Columns, compress, rows
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
    """Weight codebook: magnitudes and signs; of a symmetric one the positive half."""
    triples = In(lambda c: c.spec.weight_triples)
    """Three times each magnitude, for two bits of the code at a time."""

    def own_row(self, m: Module) -> Value:
        """Return the products; the code has its magnitude in bits 0 to 6, its sign in bit 7."""
        magnitude, sign = self.code[:-1], self.code[-1]
        symmetric = self.spec.numbers.symmetric
        made = Signal(self.spec.row)
        wanted = self._digits(m, magnitude)
        for n in range(self.spec.entries):
            centroid = self.w_centroids[n]
            size = centroid if symmetric else centroid.magnitude
            product = self._product(m, wanted, size, self.triples[n], f"product_{n}")
            if not symmetric:
                product = Mux(sign ^ centroid.negative, -product, product)
            m.d.comb += made.entries[n].eq(product)
        if symmetric:
            m.d.comb += made.sign.eq(sign)
        return made.as_value()

    @staticmethod
    def _digits(m: Module, magnitude: Value) -> list[tuple[Value, Value, Value]]:
        """Return for two bits at a time whether they are 1, 2 and 3."""
        digits = []
        for n in range(0, len(magnitude), 2):
            low, high = Cat(magnitude, Const(0, 1))[n : n + 2]
            parts = (low & ~high, high & ~low, low & high)
            digits.append(tuple(wire(m, part, f"digit_{n}_{k}") for k, part in enumerate(parts, 1)))
        return digits

    @staticmethod
    def _product(
        m: Module,
        digits: list[tuple[Value, Value, Value]],
        centroid: Value,
        triple: Value,
        name: str,
    ) -> Value:
        """Return the product of two magnitudes, less its seven lowest bits; halves round up."""
        columns: Columns = [[] for _ in range(GRID_BITS - 1 + len(centroid))]
        for n, (one, two, three) in enumerate(digits):
            row = choose((one, centroid), (two, centroid << 1), (three, triple))
            for place, bit in enumerate(row[: len(columns) - 2 * n], 2 * n):
                columns[place].append(bit)
        columns[GRID_BITS - 2].append(Const(1, 1))
        one, other = rows(compress(m, columns, name, width=len(columns)))
        return wire(m, one + other, name)[GRID_BITS - 1 : len(columns)]
