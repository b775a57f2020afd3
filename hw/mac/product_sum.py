"""Products of magnitudes and signed numbers, all partial products in one sum."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Value

from hw.common.column_sum import compress_columns, sum_columns
from hw.common.wires import wire
from hw.fp16.fp16_parts import Cut


@dataclass(frozen=True)
class ProductSum:
    """The sum of all ``magnitude * operand``, and of a number that all lanes share.

    The complement of the sum is what adds up: most partial products are then NANDs, the gate
    that costs least, and the negative ones of the operands' sign bits need no extension. What
    that has to be mended with is constant, and goes into the shared number, the offset.

    Parameters
    ----------
    inputs : int
        Number of products.
    magnitude_bits, operand_bits : int
        Width of the unsigned factor, and of the one in two's complement.
    shift : int
        Products count ``2**shift`` times.
    """

    inputs: int
    magnitude_bits: int
    operand_bits: int
    shift: int = 0

    @property
    def bits(self) -> int:
        """Bits of the sum, sign included."""
        most = self.inputs * ((1 << self.magnitude_bits) - 1)
        return (most << (self.operand_bits - 1 + self.shift)).bit_length() + 1

    @property
    def base(self) -> int:
        """Offset that adds nothing to the sum; one less adds 1."""
        positive = ((1 << self.magnitude_bits) - 1) * ((1 << (self.operand_bits - 1)) - 1)
        return -1 - (self.inputs * positive << self.shift)

    def offset(self, m: Module, magnitudes: Sequence[Value], chosen: Sequence[Value]) -> Value:
        """Return the offset that adds each magnitude whose bit of ``chosen`` is set."""
        # What is taken off the base is added as its complement; what is not chosen as all ones.
        ones = (1 << self.magnitude_bits) - 1
        columns = defaultdict(list)
        for k, (magnitude, taken) in enumerate(zip(magnitudes, chosen, strict=True)):
            for n, bit in enumerate(magnitude):
                columns[n].append(wire(m, ~(bit & taken), f"left{k}_{n}"))
        add_constant(columns, self.base - self.inputs * ones, self.bits)
        return sum_columns(m, columns, self.bits, "offset")

    def total(
        self,
        m: Module,
        magnitudes: Sequence[Value],
        operands: Sequence[Value],
        offset: Value,
        cut: Cut | None = None,
        depth: int = 8,
    ) -> Value:
        """Return the sum, two's complement.

        Parameters
        ----------
        m : Module
            Gets the logic.
        magnitudes : sequence of unsigned
        operands : sequence of two's complement
        offset : unsigned
            ``base`` less what is to be added to the sum, modulo ``2**bits``.
        cut : callable, optional
            Called once, with the bits that are left after ``depth`` full adders, where one step
            would take too long.
        """
        columns = defaultdict(list, {n: [bit] for n, bit in enumerate(offset)})
        for k, (magnitude, operand) in enumerate(zip(magnitudes, operands, strict=True)):
            for i, left in enumerate(magnitude):
                for j, right in enumerate(operand):
                    negative = j == len(operand) - 1
                    product = left & right if negative else ~(left & right)
                    place = i + j + self.shift
                    columns[place].append(wire(m, product, f"product{k}_{i}_{j}"))
        if cut is not None:
            columns = cut_columns(m, columns, self.bits, cut, depth)
        return ~sum_columns(m, columns, self.bits, "total")


def cut_columns(
    m: Module, columns: Mapping[int, Sequence[Value]], bits: int, cut: Cut, depth: int
) -> dict[int, list[Value]]:
    """Return what ``depth`` full adders leave of columns, behind a cut."""
    fewer = compress_columns(m, columns, bits, "fewer", depth)
    named = {f"column{n}": Cat(column) for n, column in fewer.items()}
    return {n: list(kept) for n, kept in zip(fewer, cut(**named), strict=True)}


def add_constant(columns: dict[int, list[Value]], constant: int, bits: int) -> None:
    """Add an integer, modulo ``2**bits``, to columns."""
    for n in range(bits):
        if constant >> n & 1:
            columns[n].append(Const(1, 1))
