"""FIGLUT's lane: bit planes of the weights look sums of activations up."""

from collections import defaultdict
from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Module, signed
from amaranth.lib import data

from hw.arith.column_sum import sum_columns
from hw.arith.wires import wire
from hw.baseline.product_sum import cut_columns
from hw.fp16.fp16_parts import Cut, keep, registers
from hw.stream.component import Component, In, Out

GROUP = 4  # activations of a table
ENTRIES = 1 << (GROUP - 1)
WEIGHT_BITS = 4
DEPTH = 4  # full adders before the cut


@dataclass(frozen=True)
class FiglutSum:
    """Widths of a lane's sum.

    Parameters
    ----------
    inputs : int
        Activations of a beat.
    activation_bits : int
        Their width, with sign.
    """

    inputs: int
    activation_bits: int

    @property
    def entry_bits(self) -> int:
        """Bits of a table's entry: a sum of four."""
        return self.activation_bits + 2

    @property
    def tables(self) -> data.ArrayLayout:
        """A table for each group of activations."""
        table = data.ArrayLayout(signed(self.entry_bits), ENTRIES)
        return data.ArrayLayout(table, self.inputs // GROUP)

    @property
    def bits(self) -> int:
        """Bits of twice the sum."""
        return (self.inputs << (self.activation_bits - 1 + WEIGHT_BITS)).bit_length() + 1

    @property
    def base(self) -> int:
        """What the inverted sign bits of all entries have to be mended with."""
        planes = (1 << WEIGHT_BITS) - 1
        return -planes * (self.inputs // GROUP << (self.entry_bits - 1))


class FiglutLane(Component):
    """Multiply weights in two's complement with activations, four bit planes side by side.

    ``2 w + 1`` is a sum of plus or minus 1, 2, 4 and 8: the bits of a plane say which sums of
    activations to take, and what is too much is the sum of all activations, which ``offset``
    takes away. A table holds the sums with its last activation positive; the others are their
    negatives.

    Parameters
    ----------
    inputs : int
        Activations of a beat: a multiple of 4.
    activation_bits : int
        Their width, with sign.
    pipelined : bool
        Whether there are registers after the weights, within the sum, and behind it. They take
        new values in every cycle.

    Timing
    ------
    Latency : ``latency`` cycles from ``weights``: 0, or 3 if pipelined.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    weights = In(lambda c: data.ArrayLayout(signed(WEIGHT_BITS), c.inputs))
    """Weights, two's complement."""
    tables = In(lambda c: c.sums.tables)
    """From :class:`hw.baseline.figlut_operands.FiglutOperands`; one cycle later if pipelined."""
    offset = In(lambda c: c.sums.bits)
    """From there, too, with ``tables``."""
    sum = Out(lambda c: signed(c.sums.bits - 1))
    """Sum of the products, exact."""

    def __init__(self, inputs: int, activation_bits: int, *, pipelined: bool = False) -> None:
        self.inputs, self.activation_bits = inputs, activation_bits
        self.pipelined = pipelined
        self.latency = 3 if pipelined else 0
        self.sums = FiglutSum(inputs, activation_bits)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        cut: Cut = registers(m) if self.pipelined else keep
        keys = {}
        for group in range(self.inputs // GROUP):
            for plane in range(WEIGHT_BITS):
                # The first bit counts -8 where the others count 1, 2 and 4.
                bits = Cat(self.weights[GROUP * group + n][plane] for n in range(GROUP))
                bits = ~bits if plane == WEIGHT_BITS - 1 else bits
                key = Cat(bits[:-1] ^ ~bits[-1].replicate(GROUP - 1), ~bits[-1])
                keys[f"key{group}_{plane}"] = wire(m, key, f"key{group}_{plane}")
        held = iter(cut(**keys))

        columns = defaultdict(list, {n: [bit] for n, bit in enumerate(self.offset)})
        sign = self.sums.entry_bits - 1
        for group in range(self.inputs // GROUP):
            table = Array(self.tables[group][n].as_unsigned() for n in range(ENTRIES))
            for plane in range(WEIGHT_BITS):
                key = next(held)
                negative = key[-1]
                entry = wire(m, table[key[:-1]], f"entry{group}_{plane}")
                # Inverted sign bits make the sum unsigned; a negative is the complement and 1.
                term = Cat(entry[:-1], ~entry[-1]) ^ negative.replicate(sign + 1)
                for n, bit in enumerate(wire(m, term, f"term{group}_{plane}")):
                    columns[plane + n].append(bit)
                columns[plane].append(negative)
        if self.pipelined:
            columns = cut_columns(m, columns, self.sums.bits, cut, DEPTH)
        twice = sum_columns(m, columns, self.sums.bits, "total")
        m.d.comb += self.sum.eq(cut(sum=wire(m, twice[1:], "total")))
