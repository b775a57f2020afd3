"""Row select: the product table's row of one activation, or a residual row."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.arith.bits import element
from hw.linear.engine_spec import INDEX_BITS, EngineSpec


class RowSelect(wiring.Component):
    """Choose what one input lane looks up in during a beat.

    Parameters
    ----------
    spec : EngineSpec
        Form of the table.

    Ports
    -----
    product_table : In(array of rows)
        Product table: ``spec.entries`` rows of entries; of a symmetric one the positive quarter.
    code : In(4)
        The activation's code.
    residual : In(spec.row)
        The outlier's residual row.
    compensation : In(1)
        Take the residual row, not the table's.
    used : In(1)
        Whether the lane counts in this beat; otherwise the row is zero.
    row : Out(spec.row)
        What the lookups of this lane read.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one row per cycle.
    Through paths : every input to ``row``, combinational.
    Reset : no state.
    """

    product_table: data.View
    code: Signal
    residual: data.View
    compensation: Signal
    used: Signal
    row: data.View

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.entries = spec.row.members["entries"]
        ports = {
            "product_table": In(data.ArrayLayout(self.entries, spec.entries)),
            "code": In(INDEX_BITS),
            "residual": In(spec.row),
            "compensation": In(1),
            "used": In(1),
            "row": Out(spec.row),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        chosen = Signal(self.entries)
        symmetric = self.spec.numbers.symmetric
        code = self.code[: INDEX_BITS - 1] if symmetric else self.code
        m.d.comb += chosen.eq(element(self.product_table, code, platform))
        with m.If(self.used & self.compensation):
            m.d.comb += self.row.eq(self.residual)
        with m.Elif(self.used):
            m.d.comb += self.row.entries.eq(chosen)
            if symmetric:
                m.d.comb += self.row.sign.eq(self.code[-1])
        return m
