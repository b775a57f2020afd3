"""Integer lane: products of one output channel, and their sum."""

from amaranth.hdl import Module, Value, signed
from amaranth.lib import data

from hw.arith.wires import wire
from hw.baseline.product_sum import ProductSum
from hw.fp16.fp16_parts import Cut, keep, registers
from hw.stream.component import Component, In, Out

# Sums of wider products are cut when the lane is pipelined.
PRODUCT_BITS = 8


def integer_products(inputs: int, activation_bits: int, weight_bits: int) -> ProductSum:
    """Return the sum that a lane makes: what negative digits lack is at most an activation."""
    return ProductSum(inputs, activation_bits, weight_bits, 1 << (activation_bits - 1))


class IntegerLane(Component):
    """Multiply the activations of one beat with the weights of one output channel, and add.

    The leanest way found for small integers: :class:`hw.baseline.product_sum.ProductSum`.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    activation_bits, weight_bits : int
        Widths in two's complement; the former even. 4 for INT4.
    pipelined : bool
        Whether there are registers after the weights, within the sum of wide products, and
        behind it. They take new values in every cycle.

    Timing
    ------
    Latency : ``latency`` cycles from ``weights``: 0; if pipelined 2, or 3 for wide products.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    weights = In(lambda c: data.ArrayLayout(signed(c.weight_bits), c.inputs))
    """Weights, two's complement."""
    digits = In(lambda c: c.products.digits)
    """From :class:`hw.baseline.integer_operands.IntegerOperands`; one cycle later if pipelined."""
    offset = In(lambda c: c.products.offset_bits)
    """From there, too, with ``digits``."""
    sum = Out(lambda c: signed(c.products.bits))
    """Sum of the products, exact."""

    def __init__(
        self, inputs: int, activation_bits: int, weight_bits: int, *, pipelined: bool = False
    ) -> None:
        self.inputs = inputs
        self.activation_bits, self.weight_bits = activation_bits, weight_bits
        self.pipelined = pipelined
        self.wide = activation_bits + weight_bits > PRODUCT_BITS
        self.latency = 2 + self.wide if pipelined else 0
        self.products = integer_products(inputs, activation_bits, weight_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        cut: Cut = registers(m) if self.pipelined else keep
        weights = cut(**{f"weight{k}": self.weights[k].as_unsigned() for k in range(self.inputs)})

        def operand(k: int, negative: Value) -> Value:
            return weights[k] ^ negative.replicate(self.weight_bits)

        within = cut if self.wide and self.pipelined else None
        total = self.products.total(m, self.digits, operand, self.offset, within)
        m.d.comb += self.sum.eq(cut(sum=wire(m, total, "total")))
