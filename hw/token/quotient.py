"""Quotient: an activation divided by the token scale, as a product and a shift."""

from amaranth.hdl import Cat, Mux, Signal, Value, signed

from hw.arith.long_arithmetic import long_product
from hw.stream.pipeline import Pipeline, Staged

EXPONENT_BIAS = 25  # of an FP16 number's mantissa, as an integer
SHIFTS = 5  # bits of a distance: a longer one leaves nothing of the product


def quotient(
    pipe: Pipeline, activation: Staged, reciprocal: Value, exponent: Value, places: int
) -> tuple[Staged, Staged]:
    """Return mantissa times reciprocal, and by how much to shift it down to twice the quotient.

    Parameters
    ----------
    pipe : Pipeline
    activation : Staged
        FP16 pattern.
    reciprocal, exponent : Value
        Of the token scale. Steady.
    places : int
        The product is the quotient, in the units wanted, times two to this power, where both
        exponents are zero.
    """

    def find_shift(bits: Value) -> Value:
        field = bits[10:15]
        shift = Signal(signed(8), name="shift")
        pipe.m.d.comb += shift.eq(exponent + places + EXPONENT_BIAS - Mux(field.any(), field, 1))
        last = (1 << SHIFTS) - 1
        return Mux(shift < 1, 0, Mux(shift > last + 1, last, shift - 1))[:SHIFTS]

    distance = pipe.stage(find_shift, activation)
    bits = activation.value
    mantissa = Staged(Cat(bits[:10], bits[10:15].any()), activation.depth)
    return long_product(pipe, Staged(reciprocal, activation.depth), mantissa), distance
