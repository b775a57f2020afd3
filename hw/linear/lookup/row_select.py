"""Row select: the product table's row of one activation, or a residual row."""

from amaranth.hdl import Module, Signal, Value

from hw.arith.bits import element
from hw.linear.lookup.row_source import RowSource
from hw.stream.component import In


class RowSelect(RowSource):
    """Choose what one input lane looks up in during a beat.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one row per cycle.
    Through paths : every input to ``row``, combinational.
    Reset : no state.
    """

    product_table = In(lambda c: c.spec.product_table)
    """Product table: ``spec.levels`` rows of entries; of a symmetric one the positive quarter."""

    def own_row(self, m: Module) -> Value:
        """Return the table's row."""
        symmetric = self.spec.numbers.symmetric
        own = Signal(self.spec.row)
        code = self.code[:-1] if symmetric else self.code
        m.d.comb += own.entries.eq(element(m, self.product_table, code))
        if symmetric:
            m.d.comb += own.sign.eq(self.code[-1])
        return own.as_value()
