"""FP16 comparison key: an integer that orders as the numbers do."""

from amaranth.hdl import Module, Mux

from hw.formats import KEY
from hw.stream.component import Component, In, Out


class Fp16Key(Component):
    """Turn an FP16 number into its key; take NaN and infinity for zero and say so.

    Bit-exact with :func:`golden.exact.fp16.key` after :func:`golden.exact.fp16.flush_nonfinite`.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one number per cycle.
    Through paths : ``bits`` to every output, combinational.
    Reset : no state.
    """

    bits = In(16)
    """FP16 pattern."""
    clean = Out(16)
    """The same number with NaN, infinity and -0 made +0."""
    key = Out(KEY)
    """Its key, -31743 to 31743."""
    nonfinite = Out(1)
    """Whether ``bits`` is NaN or infinity."""

    def build(self, m: Module) -> None:  # noqa: D102
        magnitude, sign = self.bits[:15], self.bits[15]
        m.d.comb += self.nonfinite.eq(self.bits[10:15].all())
        with m.If(~self.nonfinite & magnitude.any()):
            m.d.comb += self.clean.eq(self.bits)
        clean = self.clean[:15]
        m.d.comb += self.key.eq(Mux(sign, -clean, clean))
