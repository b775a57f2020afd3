"""Dequantising lane: weight codes become centroids, which are multiplied and added."""

from amaranth.hdl import Array, Cat, Const, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.wires import wire
from hw.fp16.fp16_parts import Cut, keep, registers
from hw.mac.mac_spec import CODE, MAGNITUDE_BITS, MAGNITUDES
from hw.mac.product_sum import ProductSum


class DequantLane(wiring.Component):
    """Look weights' centroids up, multiply them with those of the activations, and add.

    Centroids of weights lie halfway between integers, ``2 m + 1`` in half units: the complement
    of ``m`` then is the negative, for the sign of the weight and of the activation at once.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    pipelined : bool
        Whether there are registers after the centroids, within the sum, and behind it. They take
        new values in every cycle.

    Ports
    -----
    signs : In(inputs)
        Whether the activations are negative.
    weights : In(array of codes)
        Weight codes: sign and number of a magnitude.
    weight_magnitudes : In(array of 8 unsigned)
        Magnitudes of the centroids, rounded down: m.
    magnitudes : In(array of unsigned)
        Magnitudes of the activations; one cycle after ``signs`` if pipelined.
    offset : In(unsigned)
        From :class:`hw.mac.dequant_operands.DequantOperands`, together with ``magnitudes``.
    sum : Out(signed)
        Sum of the products in half units, exact.

    Timing
    ------
    Latency : ``latency`` cycles from ``weights``: 0, or 3 if pipelined.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    signs: Signal
    weights: data.View
    weight_magnitudes: data.View
    magnitudes: data.View
    offset: Signal
    sum: Signal

    def __init__(self, inputs: int, *, pipelined: bool = False) -> None:
        self.inputs, self.pipelined = inputs, pipelined
        self.latency = 3 if pipelined else 0
        self.products = ProductSum(inputs, MAGNITUDE_BITS, MAGNITUDE_BITS + 1, shift=1)
        ports = {
            "signs": In(inputs),
            "weights": In(data.ArrayLayout(CODE, inputs)),
            "weight_magnitudes": In(MAGNITUDES),
            "magnitudes": In(data.ArrayLayout(MAGNITUDE_BITS, inputs)),
            "offset": In(self.products.bits),
            "sum": Out(signed(self.products.bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        cut: Cut = registers(m) if self.pipelined else keep
        table = Array(self.weight_magnitudes[n] for n in range(MAGNITUDES.length))
        operands = {}
        for k in range(self.inputs):
            negative = wire(m, self.signs[k] ^ self.weights[k].sign, f"negative{k}")
            centroid = Signal(MAGNITUDE_BITS, name=f"centroid{k}")
            m.d.comb += centroid.eq(table[self.weights[k].magnitude])
            operand = Cat(centroid, Const(0, 1)) ^ negative.replicate(MAGNITUDE_BITS + 1)
            operands[f"operand{k}"] = wire(m, operand, f"operand{k}")
        held = cut(**operands)
        magnitudes = [self.magnitudes[k] for k in range(self.inputs)]
        within = cut if self.pipelined else None
        total = self.products.total(m, magnitudes, held, self.offset, within)
        m.d.comb += self.sum.eq(cut(sum=wire(m, total, "total")))
        return m
