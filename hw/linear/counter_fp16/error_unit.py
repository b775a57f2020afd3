"""Error unit: what an outlier is beyond its centroid, in FP16."""

from amaranth.hdl import Module, Mux, Signal

from golden.exact.fp16_arithmetic import SIGN
from hw.formats import INDEX_BITS
from hw.fp16.fp16_fma import Fp16Fma
from hw.linear.counter_fp16.dequant_unit import CODEBOOK
from hw.stream.component import Component, In, Out


class ErrorUnit(Component):
    """Compute x - s_a * C_A[a] of an outlier (paper: error-calculation unit).

    Bit-exact with :func:`golden.exact.counter_fp16.error_units`: rounded once, and +0 of an outlier
    that is not live.

    Timing
    ------
    Latency : ``LATENCY`` cycles.
    Rate : one outlier per cycle.
    Through paths : none.
    Reset : no state; what is under way goes on.
    """

    LATENCY = 1 + Fp16Fma.STAGES

    codebook = In(CODEBOOK)
    """FP16 centroids of the activations, finite. Steady while outliers are under way."""
    code = In(INDEX_BITS)
    """The outlier's code."""
    x = In(16)
    """The outlier, a finite FP16 pattern."""
    scale = In(16)
    """The token's scale, FP16."""
    live = In(1)
    """Whether it counts; a position that stands on both sides counts once."""
    o = Out(16)
    """FP16 pattern of the error."""

    def build(self, m: Module) -> None:  # noqa: D102
        fma = self.put(m, "fma", Fp16Fma(pipelined=True))
        centroid, scale, x = (
            Signal(16, name=name, reset_less=True) for name in ("centroid", "scale", "x")
        )
        # Of nothing, nothing is +0: that needs no gate behind the adder.
        m.d.sync += [
            centroid.eq(self.codebook[self.code] ^ SIGN),
            scale.eq(Mux(self.live, self.scale, 0)),
            x.eq(Mux(self.live, self.x, 0)),
        ]
        m.d.comb += [fma.a.eq(scale), fma.b.eq(centroid), fma.c.eq(x), self.o.eq(fma.o)]
