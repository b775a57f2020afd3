"""Products of magnitudes and signed numbers, all partial products in one sum."""

from collections import defaultdict
from collections.abc import Sequence

from amaranth.hdl import Module, Value

from hw.common.column_sum import sum_columns
from hw.common.wires import wire


def sum_bits(inputs: int, magnitude_bits: int, operand_bits: int) -> int:
    """Return the bits of a sum of ``inputs`` products, sign included."""
    most = inputs * ((1 << magnitude_bits) - 1) << (operand_bits - 1)
    return most.bit_length() + 1


def offset_base(inputs: int, magnitude_bits: int, operand_bits: int) -> int:
    """Return what stands for zero at the ``offset`` of :func:`sum_products`."""
    positive = ((1 << magnitude_bits) - 1) * ((1 << (operand_bits - 1)) - 1)
    return -1 - inputs * positive


def sum_products(
    m: Module, magnitudes: Sequence[Value], operands: Sequence[Value], offset: Value
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

    Returns
    -------
    two's complement of ``len(offset)`` bits
    """
    columns = defaultdict(list, {n: [bit] for n, bit in enumerate(offset)})
    for k, (magnitude, operand) in enumerate(zip(magnitudes, operands, strict=True)):
        for i, left in enumerate(magnitude):
            for j, right in enumerate(operand):
                negative = j == len(operand) - 1
                product = left & right if negative else ~(left & right)
                columns[i + j].append(wire(m, product, f"product{k}_{i}_{j}"))
    return ~sum_columns(m, columns, len(offset), "column")
