"""Activation codes as dequantising lanes take them: once for all lanes."""

from collections import defaultdict

from amaranth.hdl import Array, Const, Module
from amaranth.lib import data

from hw.arith.wires import wire
from hw.baseline.dequant_lane import dequant_products
from hw.baseline.mac_spec import CODE, MAGNITUDES
from hw.baseline.product_sum import recode
from hw.stream.component import Component, In, Out


class DequantOperands(Component):
    """Turn activation codes into centroids of 8 bits, and prepare the offset of the lanes' sums.

    Parameters
    ----------
    inputs : int
        Activations of a beat.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one beat per cycle.
    Through paths : inputs to outputs, combinational.
    Reset : no state.
    """

    activations = In(lambda c: data.ArrayLayout(CODE, c.inputs))
    """Codes of a beat: sign and number of a magnitude."""
    activation_magnitudes = In(MAGNITUDES)
    """Magnitudes of the centroids."""
    digits = Out(lambda c: c.products.digits)
    """Each activation's digits of base 4, as :data:`hw.baseline.product_sum.DIGIT`."""
    offset = Out(lambda c: c.products.offset_bits)
    """For :class:`hw.baseline.dequant_lane.DequantLane`."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.products = dequant_products(inputs)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        table = Array(self.activation_magnitudes[n] for n in range(MAGNITUDES.length))
        added = defaultdict(list)
        for k in range(self.inputs):
            code = self.activations[k]
            magnitude = wire(m, table[code.magnitude], f"magnitude{k}")
            bits = [*magnitude, Const(0, 1)]
            recode(m, bits, code.sign, self.digits[k], f"activation{k}")
            # A weight is an odd number, 2 v + 1, or its negative, 2 ~v + 1: there is always
            # that one times the digit's magnitude.
            for n in range(len(bits) // 2):
                added[2 * n].append(self.digits[k][n].one)
                added[2 * n + 1].append(self.digits[k][n].two)
        m.d.comb += self.offset.eq(self.products.offset(m, added))
