"""Last steps of an output in FP16: scales, compensation, bias."""

from amaranth.hdl import Module

from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.stream.component import Component, In, Out
from hw.stream.pipeline import later


class Fp16Combine(Component):
    """Compute ((main * scale) * w_scale + compensation) + bias, each operation rounded.

    Bit-exact with :func:`golden.exact.counter_fp16.combine`.

    Timing
    ------
    Latency : ``LATENCY`` cycles.
    Rate : one output per cycle.
    Through paths : none.
    Reset : no state; what is under way goes on.
    """

    LATENCY = 2 * Fp16Multiply.STAGES + 2 * Fp16Add.STAGES

    main = In(16)
    """FP16 pattern of an output channel's main sum."""
    scale = In(16)
    """The token's scale."""
    w_scale = In(16)
    """The channel's scale."""
    compensation = In(16)
    """What the outliers add."""
    bias = In(16)
    """The channel's bias."""
    o = Out(16)
    """FP16 pattern of the output."""

    def build(self, m: Module) -> None:  # noqa: D102
        operations = (
            ("token", Fp16Multiply, self.scale),
            ("channel", Fp16Multiply, self.w_scale),
            ("compensated", Fp16Add, self.compensation),
            ("biased", Fp16Add, self.bias),
        )
        result, latency = self.main, 0
        for name, kind, operand in operations:
            unit = self.put(m, name, kind(pipelined=True), a=result, b=later(m, operand, latency))
            result, latency = unit.o, latency + unit.latency
        m.d.comb += self.o.eq(result)
