"""Output scaler: an exact sum becomes an FP16 number, by a product as short as FP16 allows."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Value, signed
from amaranth.lib import data

from golden.exact.output_scaling import KEPT
from golden.exact.spec import require_int
from hw.arith.column_sum import sum_columns
from hw.arith.columns import sum_of_parts
from hw.arith.shifts import leading_zeros
from hw.arith.wires import wire
from hw.engine_spec import CHANNEL
from hw.formats import SCALE
from hw.fp16.fp16_parts import (
    MANTISSA,
    Cut,
    Special,
    Window,
    finish,
    registers,
    shift_down,
    shift_up,
)
from hw.linear.output.cut_products import TRIPLES, scale_product, sum_product
from hw.stream.component import Component, InStream, OutStream
from hw.stream.pipeline import flow, later

NO, YES = Const(0, 1), Const(1, 1)
SUM_BITS_MAX = 32
# The product and the bias are added in a window. Its last bit is one below those of the product:
# only if the product has to go down by two or more may it lose bits, and then the first bit of the
# bias, or the second, stays.
WINDOW = KEPT + 1
# How far the product's first bit lies above the bias' first: up to 31 either way counts.
DISTANCE = 9
FAR = 5


class Addend(NamedTuple):
    """The bias, where it meets the product, or the product's way to it."""

    number: Value  # in the window; complemented if it is to be subtracted
    subtract: Value
    carry: Value  # what its complement still needs
    lost: Value  # whether bits of it are
    down: Value  # how far the product goes down
    limit: Value  # biased exponent of the window's first bit: how far up the sum may go


class OutputScaler(Component):
    """Compute FP16(sum * s_a * s_w + bias), the product cut to 15 bits.

    Bit-exact with :func:`golden.exact.output_scaling.scale_sums`.

    Parameters
    ----------
    sum_bits : int
        Bits of a sum, with sign: 16 to 32.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one sum per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the sums in flight.
    """

    latency = 5

    i = InStream(lambda c: c.term)
    """``sum`` in table units, the token's ``scale`` and what :func:`triples` makes of it, the
    output ``channel``'s parameters, whether the result is ``used``, and ``last``, which is passed
    on.
    """
    o = OutStream(lambda c: c.result)
    """FP16 pattern ``y``, whether it is used and ``infinite``, and ``last``."""

    def __init__(self, sum_bits: int) -> None:
        require_int("sum_bits", sum_bits, low=KEPT + 1, high=SUM_BITS_MAX)
        self.sum_bits = sum_bits
        self.term = data.StructLayout(
            {
                "sum": signed(sum_bits),
                "scale": SCALE,
                "triples": TRIPLES,
                "channel": CHANNEL,
                "used": 1,
                "last": 1,
            }
        )
        self.result = data.StructLayout({"y": 16, "infinite": 1, "last": 1})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        advance = flow(m, self.i, self.o, self.latency)
        moving = Module()
        term, result = self.i.payload, self.o.payload
        y = self._scaled(moving, registers(moving))
        used, last = (later(moving, flag, self.latency) for flag in (term.used, term.last))
        m.d.comb += [
            result.y.eq(y),
            result.infinite.eq(y[10:15].all() & used),
            result.last.eq(last),
        ]
        m.submodules.moving = EnableInserter(advance)(moving)

    def _scaled(self, m: Module, cut: Cut) -> Value:
        """Return the output, ``latency`` cuts later."""
        term = self.i.payload
        scale, more = scale_product(m, term.scale.mantissa, term.triples, term.channel.mantissa)
        negative = term.sum[-1]
        kept, place = _normalise(m, term.sum[:-1], negative)
        above = _exponents(m, term, place, self.sum_bits)
        scale, more, kept, above, negative, bias = cut(
            scale=scale,
            more=more,
            kept=kept,
            above=above,
            negative=negative,
            bias=term.channel.bias,
        )

        product = sum_product(m, kept, scale)
        addend = _align_bias(m, bias, above, more, some=kept[-1], negative=negative)
        product, negative, addend = cut(product=product, negative=negative, addend=addend)

        window = _add(m, product, addend)
        # An exact zero is +0, as if it always were a difference.
        special = Special(sign=negative, subtract=YES, infinite=NO, nan=NO)
        special, window = cut(special=special, window=window)

        return finish(m, cut, shift_up(m, window, 16), special)


def _normalise(m: Module, bits: Value, negative: Value) -> tuple[Value, Value]:
    """Return the leading bits of a sum's magnitude, and by how much they were moved up.

    A negative sum is turned over, with as many ones behind it as it takes.
    """
    magnitude = wire(m, bits ^ negative.replicate(len(bits)), "magnitude")
    behind = Const(-1, SUM_BITS_MAX - len(bits))
    zeros = leading_zeros(m, Cat(behind, magnitude), "zeros")
    kept: Value = magnitude
    for index in reversed(range(len(zeros))):
        step = 1 << index
        moved = Cat(negative.replicate(step), kept)[: len(kept)]
        kept = wire(m, Mux(zeros[index], moved, kept)[-(KEPT + step - 1) :], f"kept_{step}")
    return kept, zeros


def _exponents(m: Module, term: data.View, zeros: Value, sum_bits: int) -> Value:
    """Return how far the product's first bit lies above the bias' first, in 9 bits, signed.

    A sum that is not moved up has its first bit at 2**(sum_bits - 2), and the product of two
    mantissas 2**20 below it, or 2**21; a bias has it at 2**(e - 15), with e from 1 on.
    """
    columns: dict[int, list[Value]] = {place: [] for place in range(DISTANCE)}
    constant = sum_bits - 2 + 20 + 1 + 15
    for exponent in (term.scale.exponent, term.channel.exponent):
        *low, sign = exponent.as_unsigned()
        for place, bit in enumerate((*low, ~sign)):
            columns[place].append(bit)
        constant -= 1 << len(low)
    # -x = ~x + 1 - 2**5, twice.
    field = term.channel.bias[10:15]
    biased = Cat(field[0] | ~field.any(), field[1:])
    for place, bit in enumerate(~biased):
        columns[place].append(bit)
    constant += 2 * (1 - (1 << len(biased)))
    for place, bit in enumerate(Const(constant, DISTANCE)):
        columns[place].append(bit)
    base = wire(m, sum_columns(m, columns, DISTANCE, "base"), "base")
    return wire(m, (base + ~zeros)[:DISTANCE], "above")


def _align_bias(
    m: Module, bias: Value, above: Value, more: Value, *, some: Value, negative: Value
) -> Addend:
    """Move the bias down to the product, or say how far the product goes down to it."""
    up = wire(m, (above + more)[:DISTANCE], "up")
    under = wire(m, (~above + ~more)[:DISTANCE], "under")  # -up
    # Nothing moves a bias that is added to no product.
    go = wire(m, some & ~up[-1], "go")
    by = wire(m, _limited(up, go), "by")
    normal = bias[10:15].any()
    number, lost = Cat(Const(0, WINDOW - MANTISSA), bias[:10], normal), NO
    for index in range(FAR):
        number, lost = shift_down(m, number, lost, 1 << index, by[index], "bias")
    subtract = wire(m, negative ^ bias[15], "subtract")
    return Addend(
        number=number ^ subtract.replicate(WINDOW),
        subtract=subtract,
        # The complement needs its one unless the bits that were lost already make up for it.
        carry=subtract & ~lost,
        lost=lost,
        down=_limited(under, up[-1]),
        limit=(Cat(bias[10] | ~normal, bias[11:15]) + by)[: FAR + 1],
    )


def _limited(distance: Value, go: Value) -> Value:
    """Return a distance if it is to count, at most 31; it is not negative then."""
    return (distance[:FAR] | distance[FAR:-1].any().replicate(FAR)) & go.replicate(FAR)


def _add(m: Module, product: Value, addend: Addend) -> Window:
    """Add the bias, with the first bit of the window for the carry."""
    placed, lost = Cat(NO, product), addend.lost
    for index in range(FAR):
        placed, lost = shift_down(m, placed, lost, 1 << index, addend.down[index], "placed")
    total = sum_of_parts(m, placed, addend.number, "total", 6, 11, carry=addend.carry)
    # A difference without a carry is negative.
    negative = wire(m, addend.subtract & ~total[-1], "negative")
    top = negative | (~addend.subtract & total[-1])
    return Window(negative, Cat(total[:-1], top), lost, addend.limit)
