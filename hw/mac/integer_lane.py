"""Integer lane: products of one output channel, and their sum."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.wires import wire
from hw.mac.product_sum import sum_bits, sum_products


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

    Ports
    -----
    magnitudes : In(array of unsigned)
        Magnitudes of the activations.
    signs : In(inputs)
        Whether they are negative.
    offset : In(unsigned)
        From :class:`hw.mac.integer_operands.IntegerOperands`.
    weights : In(array of signed)
        Weights, two's complement.
    sum : Out(signed)
        Sum of the products, exact.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational.
    Reset : no state.
    """

    magnitudes: data.View
    signs: Signal
    offset: Signal
    weights: data.View
    sum: Signal

    def __init__(self, inputs: int, activation_bits: int, weight_bits: int) -> None:
        self.inputs = inputs
        self.activation_bits, self.weight_bits = activation_bits, weight_bits
        bits = sum_bits(inputs, activation_bits - 1, weight_bits)
        ports = {
            "magnitudes": In(data.ArrayLayout(activation_bits - 1, inputs)),
            "signs": In(inputs),
            "offset": In(bits),
            "weights": In(data.ArrayLayout(signed(weight_bits), inputs)),
            "sum": Out(signed(bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        operands = [
            wire(
                m,
                self.weights[k].as_unsigned() ^ self.signs[k].replicate(self.weight_bits),
                f"operand{k}",
            )
            for k in range(self.inputs)
        ]
        magnitudes = [self.magnitudes[k] for k in range(self.inputs)]
        m.d.comb += self.sum.eq(sum_products(m, magnitudes, operands, self.offset))
        return m
