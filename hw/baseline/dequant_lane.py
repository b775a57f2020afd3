"""Dequantising lane: weight codes become centroids, which are multiplied and added."""

from amaranth.hdl import Array, Cat, Module, Value, signed
from amaranth.lib import data

from hw.arith.wires import wire
from hw.baseline.mac_spec import CODE, MAGNITUDE_BITS, MAGNITUDES
from hw.baseline.product_sum import ProductSum
from hw.fp16.fp16_parts import Cut, keep, registers
from hw.stream.component import Component, In, Out


def dequant_products(inputs: int) -> ProductSum:
    """Return the sum that a lane makes; all digits' magnitudes are added to it, once each."""
    bits = MAGNITUDE_BITS + 1
    return ProductSum(inputs, bits, bits, 2 * ((1 << bits) - 1) // 3, shift=1)


class DequantLane(Component):
    """Look weights' centroids up, multiply them with those of the activations, and add.

    Centroids of weights lie halfway between integers, ``2 m + 1`` in half units: the complement
    of ``m`` then is the negative, for the signs of the weight and of the activation at once.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    pipelined : bool
        Whether there are registers after the centroids, within the sum, and behind it. They take
        new values in every cycle.

    Timing
    ------
    Latency : ``latency`` cycles from ``weights``: 0, or 3 if pipelined.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    weights = In(lambda c: data.ArrayLayout(CODE, c.inputs))
    """Weight codes: sign and number of a magnitude."""
    weight_magnitudes = In(MAGNITUDES)
    """Magnitudes of the centroids, rounded down: m."""
    digits = In(lambda c: c.products.digits)
    """From :class:`hw.baseline.dequant_operands.DequantOperands`; one cycle later if pipelined."""
    offset = In(lambda c: c.products.offset_bits)
    """From there, too, with ``digits``."""
    sum = Out(lambda c: signed(c.products.bits))
    """Sum of the products in half units, exact."""

    def __init__(self, inputs: int, *, pipelined: bool = False) -> None:
        self.inputs, self.pipelined = inputs, pipelined
        self.latency = 3 if pipelined else 0
        self.products = dequant_products(inputs)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        cut: Cut = registers(m) if self.pipelined else keep
        table = Array(self.weight_magnitudes[n] for n in range(MAGNITUDES.length))
        weights = {}
        for k in range(self.inputs):
            magnitude = table[self.weights[k].magnitude]
            weights[f"weight{k}"] = wire(m, Cat(magnitude, self.weights[k].sign), f"weight{k}")
        held = cut(**weights)

        def operand(k: int, negative: Value) -> Value:
            sign = negative ^ held[k][-1]
            return Cat(held[k][:-1] ^ sign.replicate(MAGNITUDE_BITS), sign)

        within = cut if self.pipelined else None
        total = self.products.total(m, self.digits, operand, self.offset, within)
        m.d.comb += self.sum.eq(cut(sum=wire(m, total, "total")))
