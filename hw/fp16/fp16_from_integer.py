"""Integers to FP16."""

from amaranth.hdl import Cat, Const, Module, signed

from golden.exact.spec import require_int
from hw.fp16.fp16_parts import (
    BIAS,
    GUARDED,
    Special,
    Window,
    may_rise,
    pack,
    round_to_nearest,
    shift_up,
)
from hw.fp16.fp16_unit import Pipelined
from hw.stream.component import In, Out

NO = Const(0, 1)


class Fp16FromInteger(Pipelined):
    """Round a signed integer to FP16.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.from_integer`: to nearest, ties to even; zero
    is +0, and what is too large, from 17 bits on, an infinity.

    Parameters
    ----------
    width : int
        Bits of the integer, sign included: 2 to 54.
    """

    STAGES = 2

    i = In(lambda c: signed(c.width))
    """The integer."""
    o = Out(16)
    """FP16 pattern."""

    def __init__(self, width: int, *, pipelined: bool = False) -> None:
        require_int("width", width, low=2, high=54)
        self.width = width
        super().__init__(pipelined=pipelined)

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)

        bits = self.i[:-1]
        first = BIAS + len(bits) - 1
        below = Const(0, max(GUARDED - len(bits), 0))
        window = Window(self.i[-1], Cat(below, bits), NO, Const(first - 1))
        for index in reversed(range(1, len(bits).bit_length())):  # -1 goes up by len(bits)
            window = shift_up(m, window, 1 << index)
        window, take = cut(window=window, take=may_rise(m, window, 1))

        window = shift_up(m, window, 1, take)
        rounded = round_to_nearest(m, window)
        special = Special(sign=NO, subtract=NO, infinite=NO, nan=NO)
        m.d.comb += self.o.eq(cut(o=pack(m, rounded, window.negative, special)))
