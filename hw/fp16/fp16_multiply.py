"""Multiplication in FP16."""

from amaranth.hdl import Cat, Const, Module, Value

from hw.arith.carry_save import add_rows, first_row, resolve
from hw.arith.wires import wire
from hw.fp16.fp16_parts import Cut, Number, Special, Window, finish, shift_up, unpack
from hw.fp16.fp16_unit import Fp16Unit
from hw.stream.component import Out

ROWS_FIRST = 9  # of the product, before the first cut
NO = Const(0, 1)


class Fp16Multiply(Fp16Unit):
    """Multiply two numbers.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.multiply`: to nearest, ties to even, with
    subnormals, signed zeros and infinities; every NaN is 0x7e00.
    """

    STAGES = 4

    o = Out(16)
    """FP16 pattern of the product."""

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)

        a, b = unpack(m, self.a, "a"), unpack(m, self.b, "b")
        m.d.comb += self.o.eq(multiply(m, cut, a, b))


def multiply(m: Module, cut: Cut, a: Number, b: Number) -> Value:
    """Return the pattern of a product of two numbers, with ``Fp16Multiply.STAGES`` cuts.

    A mantissa may have zeros in front: it need not be normalised. Of ``b``, constant fields and
    flags take no gates.
    """
    nan = a.nan | b.nan | (a.infinite & b.zero) | (a.zero & b.infinite)
    special = Special(
        sign=wire(m, a.sign ^ b.sign, "sign"),
        subtract=NO,
        infinite=wire(m, a.infinite | b.infinite, "infinite"),
        nan=wire(m, nan, "nan"),
    )
    limit = wire(m, a.exponent + b.exponent, "limit")
    rows = first_row(m, a.mantissa, b.mantissa[0], "row")
    rows = add_rows(m, rows, a.mantissa, b.mantissa[1:ROWS_FIRST], "row")
    special, limit, rows, factor, bits = cut(
        special=special, limit=limit, rows=rows, factor=a.mantissa, bits=b.mantissa[ROWS_FIRST:]
    )

    rows = add_rows(m, rows, factor, bits, "row")
    product = resolve(m, rows, "product_high")
    # The product's last bit is worth 2**(limit - 50), and the first bit of the window, which
    # has the exponent limit + 1, is worth 2**(limit - 14).
    window = Window(NO, Cat(product, Const(0, 15)), NO, limit)
    special, window = cut(special=special, window=shift_up(m, window, 16))
    return finish(m, cut, window, special)
