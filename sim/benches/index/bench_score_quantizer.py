"""cocotb bench for ScoreQuantizer: rows of every kind and length."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import MAX_FINITE, BitArray, to_bits
from golden.exact.index_softmax import ONE, SoftmaxCodes, softmax_indices
from golden.exact.index_statistics import INDICES
from sim.kit.corners import NONFINITE, finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

KINDS = 9
LENGTHS = (1, 2, 17, 255, 4096)  # at which rows of all kinds are tried
MASKED = 0xFC00


def codes_of(bed: Testbed) -> SoftmaxCodes:
    """Return the block's codes; their powers decide no index."""
    powers = np.array([0] * (INDICES - 1) + [ONE])
    return SoftmaxCodes(bed.block.thresholds, powers)


def lengths(bed: Testbed) -> list[int]:
    """Return lengths of rows: the shortest, around those of whole beats, the longest."""
    most = bed.block.lanes * bed.block.longest
    fixed = [n for n in (*LENGTHS, most, most - 1, bed.block.lanes) if 1 <= n <= most]
    return [*fixed, *bed.rng.integers(1, min(most, 9 * bed.block.lanes), 10, endpoint=True)]


def row_of(bed: Testbed, kind: int, length: int) -> BitArray:
    """Return a row of scores: usual ones, equal, one dominant, masked, beyond all, anything.

    Those of the last kind lie at a threshold's distance from the largest, or a step beside it.
    """
    rng = bed.rng
    usual = to_bits(rng.normal(size=length) * rng.choice([0.5, 3, 40]) + rng.normal() * 5)
    if kind == 1:
        usual[:] = usual[0]
    elif kind == 2:
        usual[rng.integers(length)] = 0x5CB0  # 300
    elif kind == 3:
        usual[:] = rng.choice([MASKED, 0x7E00, 0xFE01], length)
    elif kind == 4:
        usual = rng.choice(np.array([MAX_FINITE, 0x7C00, MAX_FINITE | 0x8000], np.uint16), length)
    elif kind == 5:
        other = rng.choice(NONFINITE, length)
        usual = np.where(rng.random(length) < 0.3, other, finite(rng, (length,)))
    elif kind == 6:
        usual = np.full(length, MAX_FINITE | 0x8000, np.uint16)
    elif kind == 7:
        usual[rng.random(length) < 0.5] = MASKED
    elif kind == 8:
        steps = rng.choice([1, *bed.block.thresholds], length) + rng.integers(-1, 2, length)
        steps[rng.integers(length)] = 0
        usual = to_bits(2 - steps / 16)
    return usual.astype(np.uint16)


def rows_of(bed: Testbed) -> list[BitArray]:
    """Return rows of all kinds: each at every length that matters, and at others."""
    most = bed.block.lanes * bed.block.longest
    rows = [row_of(bed, n % KINDS, int(length)) for n, length in enumerate(lengths(bed))]
    each = [row_of(bed, kind, n) for n in LENGTHS if n <= most for kind in range(KINDS)]
    return rows + [each[n] for n in bed.rng.permutation(len(each))]


def beats_of(bed: Testbed, rows: list[BitArray]) -> list[dict[str, Any]]:
    """Return the beats of rows; lanes without a score have anything."""
    lanes, beats = bed.block.lanes, []
    for row in rows:
        for start in range(0, len(row), lanes):
            part = row[start : start + lanes]
            scores = finite(bed.rng, (lanes,))
            scores[: len(part)] = part
            last = int(start + lanes >= len(row))
            beats.append({"scores": scores, "used": (1 << len(part)) - 1, "last": last})
    return beats


def expected(bed: Testbed, rows: list[BitArray]) -> list[dict[str, Any]]:
    """Return the beats that golden has."""
    lanes, codes, beats = bed.block.lanes, codes_of(bed), []
    for row in rows:
        indices = softmax_indices(row[None], codes).indices[0]
        padded = np.pad(indices, (0, -len(indices) % lanes)).reshape(-1, lanes)
        beats += [
            {"indices": beat.tolist(), "last": int(n == len(padded) - 1)}
            for n, beat in enumerate(padded)
        ]
    return beats


@every_traffic
@cocotb.test(timeout_time=2000, timeout_unit="us")
async def indices(dut, traffic: str) -> None:
    """Every score gets its index; a reset in the middle of a row leaves nothing behind."""
    bed = await Testbed(dut).start()
    bed.send("i", beats_of(bed, rows_of(bed)))
    await bed.disturb()
    await bed.restart(traffic)
    rows = rows_of(bed)
    bed.send("i", beats_of(bed, rows))
    wanted = expected(bed, rows)
    found = await bed.receive("o", len(wanted))
    assert [{"indices": list(one["indices"]), "last": one["last"]} for one in found] == wanted


@cocotb.test(timeout_time=1000, timeout_unit="us")
async def keeps_its_time(dut) -> None:
    """Let a row that is alone out as many cycles after it came in as is stated."""
    bed = await Testbed(dut).start()
    for length in lengths(bed):
        row = row_of(bed, 0, int(length))
        beats = beats_of(bed, [row])
        await bed.cycles(4)
        before = len(bed.sources["i"].taken_at)
        bed.send("i", beats)
        await bed.receive("o", before + len(beats))
        taken = bed.sources["i"].taken_at[before:]
        valid = bed.sinks["o"].valid_at[-len(beats) :]
        np.testing.assert_array_equal(np.diff(taken), 1)
        assert valid[0] - taken[-1] == bed.block.latency
        np.testing.assert_array_equal(np.diff(valid), 1)
