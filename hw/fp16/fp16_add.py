"""Addition in FP16."""

from amaranth.hdl import Cat, Const, Module, Mux, Value

from hw.arith.wires import wire
from hw.fp16.fp16_parts import Number, Special, Window, finish, shift_down, unpack
from hw.fp16.fp16_unit import Fp16Unit
from hw.stream.component import Out

WIDTH = 14  # a carry, a mantissa, and two bits below it


class Fp16Add(Fp16Unit):
    """Add two numbers.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.add`: to nearest, ties to even, with
    subnormals, signed zeros and infinities; every NaN is 0x7e00.
    """

    STAGES = 4

    o = Out(16)
    """FP16 pattern of the sum."""

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)

        a, b = unpack(m, self.a, "a"), unpack(m, self.b, "b")
        special, large, small, distance, limit = self._order(m, a, b)
        lost: Value = Const(0, 1)
        for index in (0, 1):
            small, lost = shift_down(m, small, lost, 1 << index, distance[index], "small")
        special, large, small, distance, limit, lost = cut(
            special=special, large=large, small=small, distance=distance[2:], limit=limit, lost=lost
        )

        for index in (2, 3, 4):
            wanted = distance[index - 2]
            small, lost = shift_down(m, small, lost, 1 << index, wanted, "small")
        addend = wire(m, small ^ special.subtract.replicate(WIDTH), "addend")
        # The complement needs its one unless the bits that were lost already make up for it.
        total = Cat(Const(0, 2), large) + addend + (special.subtract & ~lost)
        total = wire(m, total[:WIDTH], "total")
        negative = wire(m, total[-1] & special.subtract, "negative")
        window = Window(negative, total, lost, limit)
        special, window = cut(special=special, window=window)

        m.d.comb += self.o.eq(finish(m, cut, window, special))

    @staticmethod
    def _order(m: Module, a: Number, b: Number) -> tuple[Special, Value, Value, Value, Value]:
        apart = wire(m, a.exponent - b.exponent, "apart")
        swap = apart[5]
        # Turned over, a negative difference is one short: that one is in how ``a`` is chosen.
        small = Mux(swap, Cat(Const(0, 1), a.mantissa), Cat(Const(0, 2), b.mantissa, Const(0, 1)))
        subtract = wire(m, a.sign ^ b.sign, "subtract")
        nan = a.nan | b.nan | (a.infinite & b.infinite & subtract)
        special = Special(
            sign=wire(m, Mux(swap, b.sign, a.sign), "sign"),
            subtract=subtract,
            infinite=wire(m, a.infinite | b.infinite, "infinite"),
            nan=wire(m, nan, "nan"),
        )
        return (
            special,
            wire(m, Mux(swap, b.mantissa, a.mantissa), "large"),
            wire(m, small, "small"),
            wire(m, apart[:5] ^ swap.replicate(5), "distance"),
            wire(m, Mux(swap, b.exponent, a.exponent), "limit"),
        )
