"""Integer lane: products of one output channel, and their sum."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.wires import wire
from hw.fp16.fp16_parts import Cut, keep, registers
from hw.mac.product_sum import ProductSum

# Sums of wider products are cut when the lane is pipelined.
PRODUCT_BITS = 8


class IntegerLane(wiring.Component):
    """Multiply the activations of one beat with the weights of one output channel, and add.

    The leanest way found for small integers. An activation's sign complements the weight, which
    takes fewer gates than one more row of products; the ones that complements lack are the sum
    of the magnitudes of negative activations, the same for all lanes, and come with ``offset``.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    activation_bits, weight_bits : int
        Widths with sign: 4 for INT4.
    pipelined : bool
        Whether there are registers after the weights, within the sum of wide products, and
        behind it. They take new values in every cycle.

    Ports
    -----
    signs : In(inputs)
        Whether the activations are negative.
    weights : In(array of signed)
        Weights, two's complement.
    magnitudes : In(array of unsigned)
        Magnitudes of the activations; one cycle after ``signs`` if pipelined.
    offset : In(unsigned)
        From :class:`hw.mac.integer_operands.IntegerOperands`, together with ``magnitudes``.
    sum : Out(signed)
        Sum of the products, exact.

    Timing
    ------
    Latency : ``latency`` cycles from ``weights``: 0; if pipelined 2, or 3 for wide products.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    signs: Signal
    weights: data.View
    magnitudes: data.View
    offset: Signal
    sum: Signal

    def __init__(
        self, inputs: int, activation_bits: int, weight_bits: int, *, pipelined: bool = False
    ) -> None:
        self.inputs = inputs
        self.activation_bits, self.weight_bits = activation_bits, weight_bits
        self.pipelined = pipelined
        self.wide = activation_bits + weight_bits > PRODUCT_BITS
        self.latency = 2 + self.wide if pipelined else 0
        self.products = ProductSum(inputs, activation_bits - 1, weight_bits)
        ports = {
            "signs": In(inputs),
            "weights": In(data.ArrayLayout(signed(weight_bits), inputs)),
            "magnitudes": In(data.ArrayLayout(activation_bits - 1, inputs)),
            "offset": In(self.products.bits),
            "sum": Out(signed(self.products.bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        cut: Cut = registers(m) if self.pipelined else keep
        bits, lanes = self.weight_bits, range(self.inputs)
        operands = [
            wire(m, self.weights[k].as_unsigned() ^ self.signs[k].replicate(bits), f"operand{k}")
            for k in lanes
        ]
        operands = cut(**{f"operand{k}": operands[k] for k in lanes})
        magnitudes = [self.magnitudes[k] for k in lanes]
        within = cut if self.wide else None
        total = self.products.total(m, magnitudes, operands, self.offset, within)
        m.d.comb += self.sum.eq(cut(sum=wire(m, total, "total")))
        return m
