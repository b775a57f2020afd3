"""Fused multiply-add in FP16."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Value

from hw.arith.carry_save import add_rows, first_row, resolve
from hw.arith.wires import wire
from hw.fp16.fp16_parts import Number, Special, Window, finish, shift_down, shift_up, unpack
from hw.fp16.fp16_unit import Fp16Unit
from hw.stream.component import In, Out

# Counted from the last bit of the exact product (22 bits), the addend belongs with its first bit
# at 35 - d, where d = e_a + e_b - e_c is how far its exponent lies below the product's. Bit 35 has
# the exponent e_a + e_b. The sum is made in a window of 30 bits, at one of two places:
#
#   far   (d < 12)   bits 35 to 6: of the product the last 6 bits only matter by not being zero. The
#                    addend is normal, and the sum's first bit is 23 or more; or it is subnormal,
#                    and the last place of FP16, 2**-24, is bit 14 or more. Where the exponent or a
#                    product of zero puts the addend even higher, its place is the top all the same.
#   near  (d >= 12)  bits 27 to -2: nothing of the product is lost. The addend loses bits when
#                    d > 27. One factor is normal then, so that the product is 2**10 or more and
#                    rounding looks at nothing below bit -2.
WINDOW = 30
FAR_DROP = 6
NEAR_PAD = 2
FINE = 7  # places that the addend is shifted by one to seven; the rest is in steps of 8

# Where the pipeline cuts the two carry chains.
ROWS_FIRST = 9
LOW = 18


class Placement(NamedTuple):
    """How the addend lies to the product."""

    near: Value
    at: Value  # one bit for each multiple of 8 that the addend's place is from the top
    gone: Value  # whether the addend lies below the window
    limit: Value  # biased exponent of the window's first bit


class Fp16Fma(Fp16Unit):
    """Multiply two numbers and add a third, rounded once.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.fused_multiply_add`: to nearest, ties to
    even, with subnormals, signed zeros and infinities; every NaN is 0x7e00.
    """

    STAGES = 6

    c = In(16)
    """What is added."""
    o = Out(16)
    """FP16 pattern of the sum."""

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)

        a, b, c = (unpack(m, getattr(self, name), name) for name in "abc")
        special = self._special(m, a, b, c)
        place, distance = self._compare(m, a, b, c)
        fine = self._shift_fine(m, c, distance)
        rows = first_row(m, a.mantissa, b.mantissa[0], "row")
        rows = add_rows(m, rows, a.mantissa, b.mantissa[1:ROWS_FIRST], "row")
        special, place, fine, rows, factor, bits = cut(
            special=special,
            place=place,
            fine=fine,
            rows=rows,
            factor=a.mantissa,
            bits=b.mantissa[ROWS_FIRST:],
        )

        rows = add_rows(m, rows, factor, bits, "row")
        product = resolve(m, rows, "product_high")
        addend, addend_lost = self._place_addend(m, fine, place)
        placed, product_lost = self._place_product(m, product, place, special.subtract)
        # The complement needs its one unless the bits that were lost already make up for it.
        carry = wire(m, special.subtract & ~product_lost, "carry")
        special, limit, addend, placed, carry, sticky = cut(
            special=special,
            limit=place.limit,
            addend=addend,
            placed=placed,
            carry=carry,
            sticky=addend_lost | product_lost,
        )

        low = wire(m, (addend[:LOW] + placed[:LOW] + carry)[: LOW + 1], "low")
        special, limit, low, addend, placed, sticky = cut(
            special=special,
            limit=limit,
            low=low,
            addend=addend[LOW:],
            placed=placed[LOW:],
            sticky=sticky,
        )

        high = wire(m, (addend + placed + low[LOW])[: WINDOW - LOW + 1], "high")
        negative = wire(m, special.subtract & ~high[-1], "negative")
        # The sign once more in front: a window's first bit is worth one exponent more.
        total = Cat(low[:LOW], high[:-1], negative)
        window = shift_up(m, Window(negative, total, sticky, limit), 16)
        special, window = cut(special=special, window=window)

        m.d.comb += self.o.eq(finish(m, cut, window, special))

    @staticmethod
    def _special(m: Module, a: Number, b: Number, c: Number) -> Special:
        """Look for infinities and NaN; the sum's sign is the addend's unless it is negated."""
        subtract = wire(m, a.sign ^ b.sign ^ c.sign, "subtract")
        infinite = wire(m, a.infinite | b.infinite, "product_infinite")
        invalid = (a.infinite & b.zero) | (a.zero & b.infinite)
        invalid |= infinite & c.infinite & subtract
        return Special(
            sign=wire(m, c.sign ^ (subtract & infinite), "sign"),
            subtract=subtract,
            infinite=wire(m, infinite | c.infinite, "infinite"),
            nan=wire(m, invalid | a.nan | b.nan | c.nan, "nan"),
        )

    @staticmethod
    def _compare(m: Module, a: Number, b: Number, c: Number) -> tuple[Placement, Value]:
        """Place the window and, in steps of 8, the addend; return also the rest of its way."""
        total = wire(m, a.exponent + b.exponent, "total")
        apart = wire(m, total - c.exponent, "apart")
        above = wire(m, apart[6] | a.zero | b.zero, "above")
        eights, half = apart[3:6], apart[2]
        near = wire(m, ~above & (eights[1:].any() | (eights[0] & half)), "near")
        limit = Mux(above, c.exponent, Cat(total[:3], (total[3:] - near)[:3]))
        # The near window begins 8 bits further down.
        at = Cat(
            above | (eights == 0) | ((eights == 1) & half),
            ~above & (((eights == 1) & ~half) | (eights == 2)),
            ~above & (eights == 3),
            ~above & (eights == 4),
        )
        place = Placement(
            near=near,
            at=wire(m, at, "at"),
            gone=wire(m, ~above & (eights > 4), "gone"),
            limit=wire(m, limit, "limit"),
        )
        return place, wire(m, apart[:3] & ~above.replicate(3), "distance")

    @staticmethod
    def _shift_fine(m: Module, c: Number, distance: Value) -> Value:
        fine, nothing = Cat(Const(0, FINE), c.mantissa), Const(0, 1)
        for index, wanted in enumerate(distance):
            fine, nothing = shift_down(m, fine, nothing, 1 << index, wanted, "fine")
        return fine

    @staticmethod
    def _place_addend(m: Module, fine: Value, place: Placement) -> tuple[Value, Value]:
        """Return the addend in the window, and whether bits of it are lost."""
        top = Cat(Const(0, WINDOW - len(fine)), fine)
        addend: Value = Const(0, WINDOW)
        lost = place.gone & fine.any()
        for eights, chosen in enumerate(place.at):
            addend = addend | ((top >> 8 * eights) & chosen.replicate(WINDOW))
            lost |= chosen & top[: 8 * eights].any()
        return wire(m, addend, "addend"), wire(m, lost, "addend_lost")

    @staticmethod
    def _place_product(
        m: Module, product: Value, place: Placement, subtract: Value
    ) -> tuple[Value, Value]:
        """Return the product in the window, to be added, and whether bits of it are lost."""
        inside = Mux(place.near, product << NEAR_PAD, product >> FAR_DROP)
        placed = wire(m, (inside ^ subtract.replicate(WINDOW))[:WINDOW], "placed")
        return placed, wire(m, ~place.near & product[:FAR_DROP].any(), "product_lost")
