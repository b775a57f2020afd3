"""Reciprocal of a scale's mantissa, one quotient bit per cycle."""

from amaranth.hdl import Cat, Module, Signal

from golden.exact.spec import RECIPROCAL_SHIFT, SCALE_BITS
from hw.stream.component import Component, InStream, OutStream

QUOTIENT_BITS = RECIPROCAL_SHIFT - SCALE_BITS + 2  # 2**27 / 1024 is 2**17, which takes 18


class Reciprocal(Component):
    """Divide 2**27 by a mantissa, to the nearest integer.

    Bit-exact with :func:`golden.exact.residual.reciprocal`: halves round up.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one division at a time; the next is taken once ``o`` has been.
    Through paths : none.
    Reset : drops the division under way.
    """

    LATENCY = QUOTIENT_BITS + 1

    i = InStream(SCALE_BITS)
    """Mantissa, 1024 to 2047."""
    o = OutStream(QUOTIENT_BITS)
    """Its reciprocal."""

    def build(self, m: Module) -> None:  # noqa: D102
        # floor((2**28 + M) / 2M), restoring. The dividend's part above the quotient is 1024,
        # less than the divisor; the part below is M itself, shifted in from the top.
        busy = Signal()
        steps = Signal(range(QUOTIENT_BITS + 1))
        mantissa = Signal(SCALE_BITS)
        tail = Signal(QUOTIENT_BITS)
        remainder = Signal(SCALE_BITS + 1)
        shifted = Signal(SCALE_BITS + 2)
        difference = Signal(SCALE_BITS + 3)

        divisor = mantissa << 1
        m.d.comb += [
            self.i.ready.eq(~busy & ~self.o.valid),
            shifted.eq(Cat(tail[-1], remainder)),
            difference.eq(shifted - divisor),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(busy):
            fits = ~difference[-1]
            m.d.sync += [
                remainder.eq(shifted),
                tail.eq(tail << 1),
                self.o.payload.eq(Cat(fits, self.o.payload)),
                steps.eq(steps - 1),
            ]
            with m.If(fits):
                m.d.sync += remainder.eq(difference)
            with m.If(steps == 1):
                m.d.sync += [busy.eq(0), self.o.valid.eq(1)]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += [
                busy.eq(1),
                steps.eq(QUOTIENT_BITS),
                mantissa.eq(self.i.payload),
                tail.eq(self.i.payload),
                remainder.eq(1 << (SCALE_BITS - 1)),
            ]
