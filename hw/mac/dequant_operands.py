"""Activation codes as dequantising lanes take them: once for all lanes."""

from amaranth.hdl import Array, Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.mac.mac_spec import CODE, MAGNITUDE_BITS, MAGNITUDES
from hw.mac.product_sum import ProductSum


class DequantOperands(wiring.Component):
    """Turn activation codes into centroids of 8 bits, and prepare the offset of the lanes' sums.

    Parameters
    ----------
    inputs : int
        Activations of a beat.

    Ports
    -----
    activations : In(array of codes)
        Codes of a beat: sign and number of a magnitude.
    activation_magnitudes : In(array of 8 unsigned)
        Magnitudes of the centroids.
    signs : Out(inputs)
        Signs of the activations.
    magnitudes : Out(array of unsigned)
        Their magnitudes.
    offset : Out(unsigned)
        For :class:`hw.mac.dequant_lane.DequantLane`.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one beat per cycle.
    Through paths : inputs to outputs, combinational.
    Reset : no state.
    """

    AT_ONCE = ("signs",)

    activations: data.View
    activation_magnitudes: data.View
    signs: Signal
    magnitudes: data.View
    offset: Signal

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.products = ProductSum(inputs, MAGNITUDE_BITS, MAGNITUDE_BITS + 1, shift=1)
        ports = {
            "activations": In(data.ArrayLayout(CODE, inputs)),
            "activation_magnitudes": In(MAGNITUDES),
            "signs": Out(inputs),
            "magnitudes": Out(data.ArrayLayout(MAGNITUDE_BITS, inputs)),
            "offset": Out(self.products.bits),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        lanes = range(self.inputs)
        table = Array(self.activation_magnitudes[n] for n in range(MAGNITUDES.length))
        for k in lanes:
            m.d.comb += [
                self.signs[k].eq(self.activations[k].sign),
                self.magnitudes[k].eq(table[self.activations[k].magnitude]),
            ]
        # Weights are odd numbers, 2 v + 1: the ones times all magnitudes are the same everywhere.
        magnitudes = [self.magnitudes[k] for k in lanes]
        m.d.comb += self.offset.eq(self.products.offset(m, magnitudes, [Const(1, 1)] * len(lanes)))
        return m
