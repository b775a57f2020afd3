"""Sum of a vector of numbers that are not negative, exactly: what softmax divides by."""

from amaranth.hdl import Cat, Module, Value

from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.fp16.fp16_parts import unpack
from hw.vector.exact_sum import ExactSum


class PowerSum(ExactSum):
    """Add up |x| over the beats of a vector, in units of 2**-24.

    Bit-exact with :func:`golden.exact.norms.power_sum`. For tokens of an engine there is
    :class:`hw.token.absolute_sum.AbsoluteSum`; this one is for vectors of any length.
    """

    TERM_BITS = 40

    def prepare(self, m: Module, bits: Value, name: str) -> Value:
        """Shift the mantissa by the exponent's lower part."""
        number = unpack(m, bits, name)
        near = wire(m, number.mantissa << number.exponent[:3], f"{name}_near")
        return Cat(number.exponent[3:], near)

    def term(self, m: Module, prepared: Value, name: str) -> Value:
        """Shift it by the upper part."""
        far, near = prepared[:2], prepared[2:]
        return choose(*((far == n, (near << 8 * n) >> 1) for n in range(4)))[: self.TERM_BITS]
