"""cocotb bench for ResidualBuilder, ResidualStore and ErrorStore: all sizes, repeated outliers."""

import cocotb
import numpy as np

from golden.exact.counter_fp16 import error_units
from golden.exact.fp16 import to_bits
from golden.exact.mapping import stored_centroids
from golden.exact.residual import ratio, residual_rows
from golden.exact.spec import A_FRACTION_BITS, IntArray
from hw.linear.counter.residual_store import ResidualStore
from hw.linear.counter_fp16.error_store import ErrorStore
from sim.kit.buffers import WrittenBuffer
from sim.kit.codebooks import random_scales, row_values
from sim.kit.outlier_case import OutlierCase
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic
from sim.kit.words import unpack

TOKENS = 12


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def builds_rows(dut, traffic: str) -> None:
    """Rows or errors, and positions, are where they belong."""
    bed = await Testbed(dut).start()
    for n, scale in enumerate(random_scales(bed.rng, TOKENS)):
        k_top = (bed.block.spec.outliers_max, 1, 3)[n % 3]
        case = OutlierCase(bed, scale, 2 * k_top)
        await one_token(bed, case, traffic)


async def one_token(bed: Testbed, case: OutlierCase, traffic: str) -> None:
    """Try one token's outliers, after a reset in the middle."""
    is_error = isinstance(bed.block, ErrorStore)
    case.set(bed)
    bed.send("i", case.items)
    await bed.pulse("start")
    await bed.disturb()
    await bed.restart(traffic)
    rows, positions = WrittenBuffer(bed, "rows"), WrittenBuffer(bed, "positions")
    await bed.cycles(getattr(bed.block, "SETTLING", 0))
    bed.send("i", case.items)
    await bed.pulse("start")
    cycles = await bed.until("finished")
    if TRAFFIC[traffic].source_stall == 0:
        assert cycles == bed.block.fill + len(case.items) * bed.block.period
    if is_error:
        check_errors(rows, case)
        check_words(positions, case.position)
        return

    quotient = ratio(case.x[None], case.scale)
    residual = np.where(case.again, 0, quotient[0] - case.centroid)
    held = stored_centroids(case.w_centroids, symmetric=case.symmetric)
    expected = residual_rows(bed.block.spec.numbers, residual[None], held)
    if isinstance(bed.block, ResidualStore):
        check_residuals(bed, rows, residual)
        check_words(positions, case.position)
    else:
        check_rows(bed, rows, expected[0])
        for n, channel in enumerate(case.position):
            assert positions.words[divmod(n, bed.block.spec.inputs_per_beat)] == channel


def check_words(buffer: WrittenBuffer, expected: np.ndarray) -> None:
    """Compare words of one lane with numbers."""
    assert buffer.words == {(n, 0): int(value) for n, value in enumerate(expected)}


def check_errors(rows: WrittenBuffer, case: OutlierCase) -> None:
    """Compare what is written with the FP16 errors, in units of the activations."""
    centroid = to_bits(np.ldexp(case.centroid.astype(np.float64), -A_FRACTION_BITS))
    errors = error_units(case.x, to_bits(case.scale.value()), centroid, ~case.again)
    check_words(rows, errors)


def check_residuals(bed: Testbed, rows: WrittenBuffer, residual: IntArray) -> None:
    """Compare what is written with the residuals, in token scales."""
    words = [unpack(bed.block.spec.residual, rows.words[n, 0]) for n in range(len(residual))]
    got = [-one["magnitude"] if one["negative"] else one["magnitude"] for one in words]
    np.testing.assert_array_equal(got, residual)
    assert len(rows.words) == len(residual)


def check_rows(bed: Testbed, rows: WrittenBuffer, expected: IntArray) -> None:
    """Compare the rows' digits with the rows (outliers, weight centroids)."""
    spec = bed.block.spec
    digits = spec.residual_digits
    for n, row in enumerate(expected):
        group, lane = divmod(n, spec.inputs_per_beat)
        words = [rows.words[group * digits + digit, lane] for digit in range(digits)]
        got = row_values(spec, words)[: len(row)]
        np.testing.assert_array_equal(got, row, f"outlier {n}")
    assert len(rows.words) == len(expected) * digits
