"""FP16 to integers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from golden.exact.spec import require_int
from hw.fp16.fp16_parts import shift_down, unpack
from hw.fp16.fp16_unit import Pipelined
from hw.stream.component import In, Out

WHOLE = 16  # bits of the largest finite magnitude


class Fp16ToInteger(Pipelined):
    """Round a number to a signed integer.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.to_integer`: to nearest, ties to even; beyond
    the range the nearest end of it, infinities too; NaN becomes 0.

    Parameters
    ----------
    width : int
        Bits of the integer, sign included: 2 to 32.
    """

    STAGES = 2

    i = In(16)
    """FP16 pattern."""
    o = Out(lambda c: signed(c.width))
    """The integer."""

    def __init__(self, width: int, *, pipelined: bool = False) -> None:
        require_int("width", width, low=2, high=32)
        self.width = width
        super().__init__(pipelined=pipelined)

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)

        number = unpack(m, self.i, "i")
        # With exponent 31 there would be no shift, and 17 bits before the guard bit.
        bits, lost = Cat(Const(0, WHOLE + 2 - len(number.mantissa)), number.mantissa), Const(0, 1)
        for index, bit in enumerate(self.i[10:15]):
            bits, lost = shift_down(m, bits, lost, 1 << index, ~bit, "bits")
        bits, lost, sign, infinite, nan = cut(
            bits=bits[: WHOLE + 1],
            lost=lost,
            sign=number.sign,
            infinite=number.infinite,
            nan=number.nan,
        )

        guard, kept = bits[0], bits[1:]
        up = guard & (kept[0] | lost)
        rounded = Signal(signed(WHOLE + 1))  # as in rounding to FP16: negated as it is rounded
        m.d.comb += rounded.eq(Cat(kept, 0) ^ sign.replicate(WHOLE + 1))
        m.d.comb += self.o.eq(cut(o=self._saturate(m, rounded + (up ^ sign), sign, infinite, nan)))

    def _saturate(self, m: Module, value: Value, sign: Value, infinite: Value, nan: Value) -> Value:
        """Replace what is out of range by the end of the range that has its sign."""
        whole = Signal(signed(max(WHOLE + 1, self.width)))
        m.d.comb += whole.eq(value)
        top = whole[self.width - 1 :]
        beyond = infinite | (top.any() & ~top.all())
        end = Cat((~sign).replicate(self.width - 1), sign)
        kept = Signal(signed(self.width))
        m.d.comb += kept.eq(Mux(beyond, end, whole) & ~nan.replicate(self.width))
        return kept
