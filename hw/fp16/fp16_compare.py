"""Comparison in FP16."""

from amaranth.hdl import Module, Signal

from hw.fp16.fp16_parts import unpack
from hw.stream.component import Component, In, Out


class Fp16Compare(Component):
    """Say how two numbers compare.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.compare`: -0 equals +0, and with a NaN
    neither ``less`` nor ``equal`` holds. The other relations are ``less | equal``, and so on.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one comparison per cycle.
    Through paths : ``a`` and ``b`` to every output, combinational.
    Reset : no state.
    """

    a = In(16)
    """One number, an FP16 pattern."""
    b = In(16)
    """The other."""
    less = Out(1)
    """Whether a < b."""
    equal = Out(1)
    """Whether a == b."""
    unordered = Out(1)
    """Whether one of them is a NaN."""

    def build(self, m: Module) -> None:  # noqa: D102
        a, b = self.a, self.b
        smaller, same, zeros = Signal(), Signal(), Signal()
        m.d.comb += [
            self.unordered.eq(unpack(m, a, "a").nan | unpack(m, b, "b").nan),
            smaller.eq(a[:15] < b[:15]),
            same.eq(a[:15] == b[:15]),
            zeros.eq(same & ~a[:15].any()),
            self.equal.eq(((same & (a[15] == b[15])) | zeros) & ~self.unordered),
        ]
        # Of two negative numbers the larger magnitude is less.
        below = Signal()
        with m.If(a[15] ^ b[15]):
            m.d.comb += below.eq(a[15])
        with m.Else():
            m.d.comb += below.eq((smaller ^ a[15]) & ~same)
        m.d.comb += self.less.eq(below & ~zeros & ~self.unordered)
