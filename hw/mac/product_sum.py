"""Products of magnitudes and signed numbers, all partial products in one sum."""

from collections import defaultdict
from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Value

from hw.common.column_sum import compress_columns, sum_columns
from hw.common.wires import wire
from hw.fp16.fp16_parts import Cut

DEPTH = 8  # full adders before the cut of a sum that is cut


def sum_bits(inputs: int, magnitude_bits: int, operand_bits: int) -> int:
    """Return the bits of a sum of ``inputs`` products, sign included."""
    most = inputs * ((1 << magnitude_bits) - 1) << (operand_bits - 1)
    return most.bit_length() + 1


def offset_base(inputs: int, magnitude_bits: int, operand_bits: int) -> int:
    """Return what stands for zero at the ``offset`` of :func:`sum_products`."""
    positive = ((1 << magnitude_bits) - 1) * ((1 << (operand_bits - 1)) - 1)
    return -1 - inputs * positive


def sum_products(
    m: Module,
    magnitudes: Sequence[Value],
    operands: Sequence[Value],
    offset: Value,
    cut: Cut | None = None,
) -> Value:
    """Return the sum of all ``magnitude * operand``, plus what ``offset`` says.

    The complement of the sum is what adds up: most partial products are then NANDs, the gate
    that costs least, and the negative ones of the operands' sign bits need no extension. What
    has to be added in constants is the same for all sums, and so a number from outside.

    Parameters
    ----------
    m : Module
        Gets the logic.
    magnitudes : sequence of unsigned
    operands : sequence of two's complement
    offset : unsigned
        :func:`offset_base` less what is to be added to the sum, modulo ``2**len(offset)``.
    cut : callable, optional
        Called once, with the bits that are left after ``DEPTH`` full adders, where one step
        would take too long.

    Returns
    -------
    two's complement of ``len(offset)`` bits
    """
    bits = len(offset)
    columns = defaultdict(list, {n: [bit] for n, bit in enumerate(offset)})
    for k, (magnitude, operand) in enumerate(zip(magnitudes, operands, strict=True)):
        for i, left in enumerate(magnitude):
            for j, right in enumerate(operand):
                negative = j == len(operand) - 1
                product = left & right if negative else ~(left & right)
                columns[i + j].append(wire(m, product, f"product{k}_{i}_{j}"))
    if cut is not None:
        fewer = compress_columns(m, columns, bits, "fewer", DEPTH)
        named = {f"column{n}": Cat(column) for n, column in fewer.items() if column}
        columns = {n: list(kept) for n, kept in zip(fewer, cut(**named), strict=True)}
    return ~sum_columns(m, columns, bits, "total")


def shared_offset(
    m: Module, magnitudes: Sequence[Value], chosen: Sequence[Value], operand_bits: int
) -> Value:
    """Return the offset that adds each magnitude whose bit of ``chosen`` is set to the sum."""
    bits = len(magnitudes[0])
    width = sum_bits(len(magnitudes), bits, operand_bits)
    # base - sum = base - count * most + sum of complements, where what is not chosen is all ones
    least = offset_base(len(magnitudes), bits, operand_bits) - len(magnitudes) * ((1 << bits) - 1)
    columns = defaultdict(list)
    for k, (magnitude, taken) in enumerate(zip(magnitudes, chosen, strict=True)):
        for n, bit in enumerate(magnitude):
            columns[n].append(wire(m, ~(bit & taken), f"left{k}_{n}"))
    for n in range(width):
        if least >> n & 1:
            columns[n].append(Const(1, 1))
    return sum_columns(m, columns, width, "offset")
