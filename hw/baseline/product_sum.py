"""Products of recoded activations and weights, all partial products in one sum."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import data

from hw.arith.column_sum import compress_columns, sum_columns
from hw.arith.wires import wire
from hw.fp16.fp16_parts import Cut

# A digit of base 4 from -2 to 2 (Booth): its sign, whether its magnitude is 1, 2, or not 0.
DIGIT = data.StructLayout({"negative": 1, "one": 1, "two": 1, "some": 1})


def recode(m: Module, bits: Sequence[Value], negate: Value, digits: data.View, name: str) -> None:
    """Assign the digits of a number in two's complement, negated if ``negate``."""
    below: Value = Const(0, 1)
    for n in range(0, len(bits), 2):
        low, high = bits[n], bits[n + 1]
        digit: Any = digits[n // 2]
        one = wire(m, low ^ below, f"{name}_one{n}")
        two = wire(m, ~one & (high ^ low), f"{name}_two{n}")
        m.d.comb += [
            digit.negative.eq(high ^ negate),
            digit.one.eq(one),
            digit.two.eq(two),
            digit.some.eq(one | two),
        ]
        below = high


@dataclass(frozen=True)
class ProductSum:
    """The sum of all ``activation * weight``, and of a number that all lanes share.

    An activation is recoded once for all lanes, so that it takes half as many rows of partial
    products as it has bits. A negative digit complements the weight; the ones that complements
    lack do not depend on the weights. Of the sum it is the complement that adds up: nearly all
    partial products are then inverting gates, which cost least, and the negative ones of the
    weights' sign bits need no extension. What is constant or shared is mended by one number
    from outside, the offset.

    Parameters
    ----------
    inputs : int
        Number of products.
    activation_bits, weight_bits : int
        Widths in two's complement; the former even.
    added_max : int
        Most that has to be added for one activation.
    shift : int
        Products count ``2**shift`` times.
    """

    inputs: int
    activation_bits: int
    weight_bits: int
    added_max: int
    shift: int = 0

    @property
    def digits(self) -> data.ArrayLayout:
        """The digits of all activations."""
        number = data.ArrayLayout(DIGIT, self.activation_bits // 2)
        return data.ArrayLayout(number, self.inputs)

    @property
    def bits(self) -> int:
        """Bits of the sum, sign included."""
        power = self.activation_bits + self.weight_bits - 2 + self.shift
        return (self.inputs << power).bit_length() + 1

    @property
    def offset_bits(self) -> int:
        """Bits of the offset."""
        return (self.inputs * self.added_max).bit_length()

    @property
    def offset_none(self) -> int:
        """Offset that adds nothing to the sum; one less adds 1.

        As much as there may be to add, and so much more that the constant has no low bits.
        """
        most = self.inputs * self.added_max
        spare = (1 << self.offset_bits) - most
        return most + (self._base - most) % (1 << (spare.bit_length() - 1))

    @property
    def _base(self) -> int:
        rows = ((1 << self.activation_bits) - 1) // 3  # 1 + 4 + 16 ...
        positive = rows * ((1 << self.weight_bits) - 1)
        return -1 - (self.inputs * positive << self.shift)

    def offset(self, m: Module, added: Mapping[int, Sequence[Value]]) -> Value:
        """Return the offset that adds bits, by the power of two, to the sum."""
        # What is taken off is added as its complement.
        columns = defaultdict(list)
        for n, bits in added.items():
            columns[n] = [wire(m, ~bit, f"left{n}_{k}") for k, bit in enumerate(bits)]
        complements = sum(len(bits) << n for n, bits in added.items())
        add_constant(columns, self.offset_none - complements, self.offset_bits)
        return sum_columns(m, columns, self.offset_bits, "offset")

    def total(
        self,
        m: Module,
        digits: Any,
        operand: Callable[[int, Value], Value],
        offset: Value,
        cut: Cut | None = None,
        depth: int = 6,
    ) -> Value:
        """Return the sum, two's complement.

        Parameters
        ----------
        m : Module
            Gets the logic.
        digits : view of :attr:`digits`
        operand : callable
            Returns an input's weight, or its complement if a second argument is set.
        offset : unsigned
            :attr:`offset_none` less what is to be added to the sum.
        cut : callable, optional
            Called once, with the bits that are left after ``depth`` full adders, where one step
            would take too long.
        """
        columns = defaultdict(list, {n: [bit] for n, bit in enumerate(offset)})
        add_constant(columns, self._base - self.offset_none, self.bits)
        for k in range(self.inputs):
            for n in range(self.activation_bits // 2):
                digit, name = digits[k][n], f"row{k}_{n}"
                chosen = wire(m, operand(k, digit.negative), f"{name}_operand")
                for place, bit in enumerate(_row(digit, chosen), 2 * n + self.shift):
                    columns[place].append(wire(m, bit, f"{name}_{place}"))
        if cut is not None:
            columns = cut_columns(m, columns, self.bits, cut, depth)
        return ~sum_columns(m, columns, self.bits, "total")


def _row(digit: Any, operand: Value) -> Iterator[Value]:
    """Yield the complement of a digit's magnitude times an operand, but its sign bit as it is."""
    yield ~(operand[0] & digit.one)
    for low, high in itertools.pairwise(operand):
        yield ~((high & digit.one) | (low & digit.two))
    yield operand[-1] & digit.some


def cut_columns(
    m: Module, columns: Mapping[int, Sequence[Value]], bits: int, cut: Cut, depth: int
) -> dict[int, list[Value]]:
    """Return what ``depth`` full adders leave of columns, behind a cut."""
    fewer = compress_columns(m, columns, bits, "fewer", depth)
    named = {f"column{n}": Cat(column) for n, column in enumerate(fewer)}
    return {n: list(kept) for n, kept in enumerate(cut(**named))}


def add_constant(columns: dict[int, list[Value]], constant: int, bits: int) -> None:
    """Add an integer, modulo ``2**bits``, to columns."""
    for n in range(bits):
        if constant >> n & 1:
            columns[n].append(Const(1, 1))
