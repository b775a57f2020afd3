"""Activations as integer lanes take them: once for all lanes."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.mac.product_sum import ProductSum


class IntegerOperands(wiring.Component):
    """Prepare what integer lanes share: the offset of their sums.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    activation_bits, weight_bits : int
        Widths with sign.

    Ports
    -----
    activations : In(array of sign and magnitude)
        Activations of a beat.
    signs : Out(inputs)
        Their signs.
    magnitudes : Out(array of unsigned)
        Their magnitudes.
    offset : Out(unsigned)
        For :class:`hw.mac.integer_lane.IntegerLane`.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one beat per cycle.
    Through paths : ``activations`` to all outputs, combinational.
    Reset : no state.
    """

    AT_ONCE = ("signs",)

    activations: data.View
    signs: Signal
    magnitudes: data.View
    offset: Signal

    def __init__(self, inputs: int, activation_bits: int, weight_bits: int) -> None:
        self.inputs = inputs
        self.activation_bits, self.weight_bits = activation_bits, weight_bits
        magnitude_bits = activation_bits - 1
        self.products = ProductSum(inputs, magnitude_bits, weight_bits)
        number = data.StructLayout({"magnitude": magnitude_bits, "sign": 1})
        ports = {
            "activations": In(data.ArrayLayout(number, inputs)),
            "signs": Out(inputs),
            "magnitudes": Out(data.ArrayLayout(magnitude_bits, inputs)),
            "offset": Out(self.products.bits),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        lanes = range(self.inputs)
        for k in lanes:
            m.d.comb += [
                self.signs[k].eq(self.activations[k].sign),
                self.magnitudes[k].eq(self.activations[k].magnitude),
            ]
        # A complement is one short of a negative number: that one times the magnitude.
        magnitudes = [self.magnitudes[k] for k in lanes]
        m.d.comb += self.offset.eq(self.products.offset(m, magnitudes, list(self.signs)))
        return m
