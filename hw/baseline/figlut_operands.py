"""Tables of the sums of four activations, made anew for every beat and shared by all lanes."""

from collections import defaultdict

from amaranth.hdl import Module, signed
from amaranth.lib import data

from hw.arith.columns import carry_select, compress, rows, two_each
from hw.arith.wires import wire
from hw.baseline.figlut_lane import ENTRIES, GROUP, FiglutSum
from hw.baseline.product_sum import add_constant
from hw.stream.component import Component, In, Out


class FiglutOperands(Component):
    """Add and subtract the activations of each group of four in all ways.

    After FIGLUT (arXiv 2503.06862), its integer form: half a table each, as the other half is
    its negative.

    Parameters
    ----------
    inputs : int
        Activations of a beat: a multiple of 4.
    activation_bits : int
        Their width, with sign.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one beat per cycle.
    Through paths : ``activations`` to both outputs, combinational.
    Reset : no state.
    """

    activations = In(lambda c: data.ArrayLayout(signed(c.activation_bits), c.inputs))
    """Activations of a beat, aligned to a common exponent."""
    tables = Out(lambda c: c.sums.tables)
    """For each group x0 to x3, at the entry with bits b0 to b2: x3 plus each of the others whose
    bit is set, minus those whose is not.
    """
    offset = Out(lambda c: c.sums.bits)
    """For :class:`hw.baseline.figlut_lane.FiglutLane`."""

    def __init__(self, inputs: int, activation_bits: int) -> None:
        self.inputs, self.activation_bits = inputs, activation_bits
        self.sums = FiglutSum(inputs, activation_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        for group in range(self.inputs // GROUP):
            x0, x1, x2, x3 = (self.activations[GROUP * group + n] for n in range(GROUP))
            low = [wire(m, x0 + x1, f"plus{group}"), wire(m, x0 - x1, f"minus{group}")]
            high = [wire(m, x3 - x2, f"without{group}"), wire(m, x3 + x2, f"with{group}")]
            for entry in range(ENTRIES):
                b0, b1, b2 = (entry >> n & 1 for n in range(3))
                pair = low[b0 != b1]
                total = high[b2] + pair if b0 else high[b2] - pair
                m.d.comb += self.tables[group][entry].eq(total)
        # The offset takes the sum of all activations away.
        columns = defaultdict(list)
        sign = self.activation_bits - 1
        for k in range(self.inputs):
            for n, bit in enumerate(self.activations[k].as_unsigned()):
                columns[n].append(wire(m, bit if n == sign else ~bit, f"left{k}_{n}"))
        complements = self.inputs * (1 - (1 << sign))
        add_constant(columns, self.sums.base + complements, self.sums.bits)
        # A chain of carries through all of its bits would be the array's longest path.
        bits = [columns[n] for n in range(self.sums.bits)]
        while max(map(len, bits)) > 3:
            bits = compress(m, bits, f"offset{max(map(len, bits))}", levels=1, width=len(bits))
        two = rows(two_each(m, bits, "two")[: self.sums.bits])
        m.d.comb += self.offset.eq(carry_select(m, *two, "offset"))
