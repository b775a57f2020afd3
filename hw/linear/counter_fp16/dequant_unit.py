"""Dequant unit: a weight's code becomes an FP16 number."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data

from hw.formats import INDEX_BITS
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.stream.component import Component, In, Out

CODEBOOK = data.ArrayLayout(16, 1 << INDEX_BITS)  # FP16 centroids by code


class DequantUnit(Component):
    """Look a weight's centroid up and multiply it with its channel's scale (paper: Dequant Unit).

    Bit-exact with :func:`golden.exact.counter_fp16.dequantised`.

    Timing
    ------
    Latency : ``LATENCY`` cycles.
    Rate : one weight per cycle.
    Through paths : none.
    Reset : no state; what is under way goes on.
    """

    LATENCY = 1 + Fp16Multiply.STAGES

    codebook = In(CODEBOOK)
    """FP16 centroids of the weights. Steady while weights are under way."""
    code = In(INDEX_BITS)
    """The weight's code."""
    scale = In(16)
    """FP16 scale of its output channel."""
    o = Out(16)
    """FP16 pattern of the weight."""

    def build(self, m: Module) -> None:  # noqa: D102
        multiply = self.put(m, "multiply", Fp16Multiply(pipelined=True))
        centroid, scale = Signal(16, reset_less=True), Signal(16, reset_less=True)
        m.d.sync += [centroid.eq(self.codebook[self.code]), scale.eq(self.scale)]
        m.d.comb += [multiply.a.eq(centroid), multiply.b.eq(scale), self.o.eq(multiply.o)]
