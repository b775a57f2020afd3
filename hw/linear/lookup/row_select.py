"""Row select: the product table's row of one activation, or a residual row."""

from amaranth.hdl import Module, Signal

from hw.arith.bits import element
from hw.engine_spec import EngineSpec
from hw.stream.component import In, Out, Sized


class RowSelect(Sized[EngineSpec]):
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
    code = In(lambda c: c.spec.code_bits)
    """The activation's code."""
    residual = In(lambda c: c.spec.row)
    """The outlier's residual row."""
    compensation = In(1)
    """Take the residual row, not the table's."""
    used = In(1)
    """Whether the lane counts in this beat; otherwise the row is zero."""
    row = Out(lambda c: c.spec.row)
    """What the lookups of this lane read."""

    def build(self, m: Module) -> None:  # noqa: D102
        chosen = Signal(self.spec.row.members["entries"])
        symmetric = self.spec.numbers.symmetric
        code = self.code[:-1] if symmetric else self.code
        m.d.comb += chosen.eq(element(self.product_table, code, self.platform))
        with m.If(self.used & self.compensation):
            m.d.comb += self.row.eq(self.residual)
        with m.Elif(self.used):
            m.d.comb += self.row.entries.eq(chosen)
            if symmetric:
                m.d.comb += self.row.sign.eq(self.code[-1])
