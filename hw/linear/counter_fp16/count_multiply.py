"""Count times product: one lane of the FP16 counter engine's tree."""

from amaranth.hdl import Cat, Const, Module, Value

from golden.exact.spec import require_int
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.fp16.fp16_multiply import Fp16Multiply, multiply
from hw.fp16.fp16_parts import MANTISSA, Number, unpack
from hw.fp16.fp16_unit import Pipelined
from hw.stream.component import In, Out

UNIT = 25  # exponent of a number whose mantissa is its value
NO = Const(0, 1)


class CountMultiply(Pipelined):
    """Multiply a count, as an FP16 number, with an entry of the product table.

    Bit-exact with :func:`golden.exact.fp16_arithmetic.multiply` of
    :func:`golden.exact.fp16_arithmetic.from_integer`. A count is a mantissa already, though not a
    normalised one, so there is no conversion: the product is normalised once. Only counts of more
    than 11 bits are rounded before, which takes a stage of its own.

    Parameters
    ----------
    count_bits : int
        Bits of a count, 1 to 15: 11 hold all counts of up to 2047 inputs.

    Timing
    ------
    Latency : ``latency`` cycles: 0 or, if pipelined, ``Fp16Multiply.STAGES``, and one more for
        counts of more than 11 bits.
    Rate : one product per cycle.
    Through paths : ``count`` and ``product`` to ``o``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    STAGES = Fp16Multiply.STAGES
    COUNT_BITS_MAX = 15

    count = In(lambda c: c.count_bits)
    """How often a pair of codes occurred."""
    product = In(16)
    """FP16 pattern: the pair's entry."""
    o = Out(16)
    """FP16 pattern of the product of both."""

    def __init__(self, count_bits: int, *, pipelined: bool = False) -> None:
        require_int("count_bits", count_bits, low=1, high=self.COUNT_BITS_MAX)
        self.count_bits = count_bits
        super().__init__(pipelined=pipelined)
        self.latency += pipelined * (count_bits > MANTISSA)

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)

        product: Value = self.product
        if self.count_bits > MANTISSA:
            mantissa, places = self._round(m)
            mantissa, places, product = cut(mantissa=mantissa, places=places, product=product)
            exponent = wire(m, (places + UNIT)[:5], "exponent")
        else:
            mantissa = Cat(self.count, Const(0, MANTISSA - self.count_bits))
            exponent = Const(UNIT)
        count = Number(NO, exponent, mantissa, wire(m, ~mantissa.any(), "zero"), NO, NO)
        m.d.comb += self.o.eq(multiply(m, cut, unpack(m, product, "product"), count))

    def _round(self, m: Module) -> tuple[Value, Value]:
        """Return the count in 11 significant bits, ties to even, and how many places are gone."""
        options, over = [], Const(0, 1)
        for places in reversed(range(1, self.count_bits - MANTISSA + 1)):
            kept = self.count[places:][:MANTISSA]
            rest = self.count[: places - 1].any() if places > 1 else NO
            up = self.count[places - 1] & (kept[0] | rest)
            top = self.count[places + MANTISSA - 1]
            options.append((top & ~over, Cat(kept, up, Const(places, 3))))
            over = wire(m, over | top, f"over_{places}")
        options.append((~over, Cat(self.count[:MANTISSA], NO, Const(0, 3))))
        chosen = wire(m, choose(*options), "chosen")
        total = wire(m, chosen[:MANTISSA] + chosen[MANTISSA], "total")
        # Rounded up to 2048, it has one place more: 1024 is left.
        carry = total[MANTISSA]
        places = wire(m, chosen[MANTISSA + 1 :] + carry, "places")
        return Cat(total[: MANTISSA - 1], total[MANTISSA - 1] | carry), places[:3]
