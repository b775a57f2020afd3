"""cocotb bench for lanes that multiply integers, and for the blocks that prepare their operands."""

from typing import Any, NamedTuple

import cocotb
import numpy as np

from golden.exact.mac import half_odd
from hw.baseline.dequant_lane import DequantLane
from hw.baseline.dequant_operands import DequantOperands
from hw.baseline.figlut_lane import ENTRIES, GROUP, FiglutLane
from hw.baseline.figlut_operands import FiglutOperands
from hw.baseline.integer_lane import IntegerLane
from hw.baseline.integer_operands import IntegerOperands
from sim.kit.booth import digit_words, magnitudes
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

COUNT = 1000
MOST = 127  # of the centroids' magnitudes


class Case(NamedTuple):
    """What the operands' block takes, and makes of it; what else a lane takes, and its sum."""

    activations: dict[str, Any]
    operands: dict[str, Any]
    weights: dict[str, Any]
    total: int


def numbers(bed: Testbed, bits: int, extreme: int | None) -> np.ndarray:
    """Return random numbers; or nothing but the highest, if ``extreme`` is 0, or the lowest."""
    most = 1 << (bits - 1)
    if extreme is None:
        return bed.rng.integers(-most, most, bed.block.inputs)
    return np.full(bed.block.inputs, (most - 1, -most)[extreme])


def integer(bed: Testbed, x_extreme: int | None, w_extreme: int | None) -> Case:
    """Recode activations; take the magnitudes of negative digits off the offset."""
    bits = bed.block.activation_bits
    x = numbers(bed, bits, x_extreme)
    w = numbers(bed, getattr(bed.block, "weight_bits", 4), w_extreme)
    digits = [digit_words(value, bits // 2) for value in x.tolist()]
    added = sum(magnitudes(words, negative_only=True) for words in digits)
    operands = {"digits": digits, "offset": bed.block.products.offset_none - added}
    return Case({"activations": x.tolist()}, operands, {"weights": w.tolist()}, int(x @ w))


def dequant(bed: Testbed, x_extreme: int | None, w_extreme: int | None) -> Case:
    """Look magnitudes up and recode them; take those of all digits off the offset."""
    tables, codes = [], []
    for extreme in (x_extreme, w_extreme):
        table = bed.rng.integers(MOST, size=8, endpoint=True)
        code = bed.rng.integers(16, size=bed.block.inputs)
        tables.append(table if extreme is None else np.full_like(table, MOST))
        codes.append(code if extreme is None else np.full_like(code, 8 * extreme))
    x = tables[0][codes[0] % 8]
    negative = codes[0] >= 8
    digits = [
        digit_words(value, 4, negate=bool(sign))
        for value, sign in zip(x.tolist(), negative, strict=True)
    ]
    offset = bed.block.products.offset_none - sum(map(magnitudes, digits))
    total = np.where(negative, -x, x) @ half_odd(codes[1], tables[1])
    return Case(
        {"activations": codes[0].tolist(), "activation_magnitudes": tables[0].tolist()},
        {"digits": digits, "offset": offset},
        {"weights": codes[1].tolist(), "weight_magnitudes": tables[1].tolist()},
        int(total),
    )


def figlut(bed: Testbed, x_extreme: int | None, w_extreme: int | None) -> Case:
    """Add and subtract in all ways; take the sum of all activations off the offset."""
    x = numbers(bed, bed.block.activation_bits, x_extreme)
    w = numbers(bed, 4, w_extreme)
    tables = [
        [
            last + sum(value if entry >> n & 1 else -value for n, value in enumerate(others))
            for entry in range(ENTRIES)
        ]
        for *others, last in x.reshape(-1, GROUP).tolist()
    ]
    offset = (bed.block.sums.base - int(x.sum())) & bed.mask("offset")
    operands = {"tables": tables, "offset": offset}
    return Case({"activations": x.tolist()}, operands, {"weights": w.tolist()}, int(x @ w))


OPERANDS = {IntegerOperands: integer, DequantOperands: dequant, FiglutOperands: figlut}
LANES = {IntegerLane: integer, DequantLane: dequant, FiglutLane: figlut}


@cocotb.test(timeout_time=30, timeout_unit="us")
async def multiplies(dut) -> None:
    """Random operands; first, those with the largest sums of either sign."""
    bed = Testbed(dut)
    make = (OPERANDS | LANES)[type(bed.block)]
    cases = [make(bed, x, w) for x in (0, 1) for w in (0, 1)]
    cases += [make(bed, None, None) for _ in range(COUNT)]
    if type(bed.block) in OPERANDS:
        for case in cases:
            outputs = await bed.evaluate(*case.operands, **case.activations)
            for (name, wanted), got in zip(case.operands.items(), outputs, strict=True):
                where = f"{name} of {case.activations}"
                assert got == wanted, f"{where}: expected {wanted}, got {got}"
        return
    weights, late = (
        {name: [getattr(case, part)[name] for case in cases] for name in getattr(cases[0], part)}
        for part in ("weights", "operands")
    )
    got = await answers(bed, "sum", late, **weights)
    np.testing.assert_array_equal(got, [case.total for case in cases])
