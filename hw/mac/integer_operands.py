"""Activations as integer lanes take them: once for all lanes."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.mac.product_sum import offset_base, sum_bits


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
    magnitudes : In(array of unsigned)
        Magnitudes of the activations.
    signs : In(inputs)
        Whether they are negative.
    offset : Out(unsigned)
        For :class:`hw.mac.integer_lane.IntegerLane`.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one beat per cycle.
    Through paths : both inputs to ``offset``, combinational.
    Reset : no state.
    """

    magnitudes: data.View
    signs: Signal
    offset: Signal

    def __init__(self, inputs: int, activation_bits: int, weight_bits: int) -> None:
        self.inputs = inputs
        self.activation_bits, self.weight_bits = activation_bits, weight_bits
        ports = {
            "magnitudes": In(data.ArrayLayout(activation_bits - 1, inputs)),
            "signs": In(inputs),
            "offset": Out(sum_bits(inputs, activation_bits - 1, weight_bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        negative = [Mux(self.signs[k], self.magnitudes[k], 0) for k in range(self.inputs)]
        base = offset_base(self.inputs, self.activation_bits - 1, self.weight_bits)
        m.d.comb += self.offset.eq(base - sum(negative[1:], negative[0]))
        return m
