"""Row source: what gives an input lane its row, whether that is selected or made."""

from abc import ABC, abstractmethod

from amaranth.hdl import Module, Value

from hw.engine_spec import EngineSpec
from hw.stream.component import In, Out, Sized


class RowSource(Sized[EngineSpec], ABC):
    """Give what one input lane looks up in during a beat: its own row, a residual row, or zero.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one row per cycle.
    Through paths : every input to ``row``, combinational.
    Reset : no state.
    """

    code = In(lambda c: c.spec.code_bits)
    """The activation's code."""
    residual = In(lambda c: c.spec.row)
    """The outlier's residual row."""
    compensation = In(1)
    """Take the residual row, not the activation's own."""
    used = In(1)
    """Whether the lane counts in this beat; otherwise the row is zero."""
    row = Out(lambda c: c.spec.row)
    """What the lookups of this lane read."""

    @abstractmethod
    def own_row(self, m: Module) -> Value:
        """Return the bits of the activation's own row."""

    def build(self, m: Module) -> None:  # noqa: D102
        own = self.own_row(m)
        with m.If(self.used & self.compensation):
            m.d.comb += self.row.eq(self.residual)
        with m.Elif(self.used):
            m.d.comb += self.row.eq(own)
