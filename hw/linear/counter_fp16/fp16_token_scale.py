"""A token's scale as an FP16 number."""

from amaranth.hdl import Cat, Const, Module, Mux

from golden.exact.spec import SCALE_BITS
from hw.arith.wires import wire
from hw.formats import SCALE
from hw.fp16.fp16_parts import (
    BIAS,
    GUARDED,
    Special,
    Window,
    pack,
    registers,
    round_to_nearest,
    shift_down,
)
from hw.stream.component import Component, In, Out

NO = Const(0, 1)
DISTANCE_BITS = 4  # places beyond which nothing is left of a mantissa


class Fp16TokenScale(Component):
    """Round a scale to FP16.

    Bit-exact with :func:`golden.exact.fp16.to_bits` of its value: to nearest, ties to even. Only a
    subnormal loses bits; what is too large is infinite.

    Timing
    ------
    Latency : ``LATENCY`` cycles.
    Rate : one scale per cycle.
    Through paths : none.
    Reset : no state; what is under way goes on.
    """

    LATENCY = 3

    i = In(SCALE)
    """Mantissa, with its first bit set, and exponent."""
    o = Out(16)
    """FP16 pattern."""

    def build(self, m: Module) -> None:  # noqa: D102
        cut = registers(m)

        # Its place above the least normal exponent, or below it.
        above = wire(m, self.i.exponent + (BIAS + SCALE_BITS - 2), "above")
        below = wire(m, above[-1], "below")
        down = (~above)[:DISTANCE_BITS] + 1
        far = ~above[DISTANCE_BITS:].all() | ~above[:DISTANCE_BITS].any()
        distance = Mux(far, (1 << DISTANCE_BITS) - 1, down)[:DISTANCE_BITS]
        limit, distance, mantissa = cut(
            limit=above[:-1] & ~below.replicate(len(above) - 1),
            distance=distance & below.replicate(DISTANCE_BITS),
            mantissa=self.i.mantissa,
        )

        bits, lost = Cat(Const(0, GUARDED - SCALE_BITS), mantissa), NO
        for index, wanted in enumerate(distance):
            bits, lost = shift_down(m, bits, lost, 1 << index, wanted, "bits")
        window = cut(window=Window(NO, bits, lost, limit))

        special = Special(sign=NO, subtract=NO, infinite=NO, nan=NO)
        m.d.comb += self.o.eq(cut(o=pack(m, round_to_nearest(m, window), NO, special)))
