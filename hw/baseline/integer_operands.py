"""Activations as integer lanes take them: once for all lanes."""

from collections import defaultdict

from amaranth.hdl import Const, Module, signed
from amaranth.lib import data

from hw.baseline.integer_lane import integer_products
from hw.baseline.product_sum import recode
from hw.stream.component import Component, In, Out


class IntegerOperands(Component):
    """Prepare what integer lanes share: the activations' digits, and the offset of the sums.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    activation_bits, weight_bits : int
        Widths in two's complement; the former even.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one beat per cycle.
    Through paths : ``activations`` to both outputs, combinational.
    Reset : no state.
    """

    activations = In(lambda c: data.ArrayLayout(signed(c.activation_bits), c.inputs))
    """Activations of a beat."""
    digits = Out(lambda c: c.products.digits)
    """Each activation's digits of base 4, as :data:`hw.baseline.product_sum.DIGIT`."""
    offset = Out(lambda c: c.products.offset_bits)
    """For :class:`hw.baseline.integer_lane.IntegerLane`."""

    def __init__(self, inputs: int, activation_bits: int, weight_bits: int) -> None:
        self.inputs = inputs
        self.activation_bits, self.weight_bits = activation_bits, weight_bits
        self.products = integer_products(inputs, activation_bits, weight_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        added = defaultdict(list)
        for k in range(self.inputs):
            bits = self.activations[k].as_unsigned()
            recode(m, list(bits), Const(0, 1), self.digits[k], f"activation{k}")
            # The complement of a weight is one short of its negative.
            for n in range(self.activation_bits // 2):
                digit = self.digits[k][n]
                added[2 * n].append(digit.negative & digit.one)
                added[2 * n + 1].append(digit.negative & digit.two)
        m.d.comb += self.offset.eq(self.products.offset(m, added))
