"""cocotb bench for OrizuruStream: ties, sorted tokens, short tokens, every number of outliers."""

from typing import Any

import cocotb
import numpy as np

from golden.fp16 import MAX_FINITE, key
from golden.spec import IntArray
from sim.corners import finite
from sim.testbed import Testbed
from sim.tokens import outliers_of
from sim.traffic import every_traffic


def tokens_of(bed: Testbed, least: int) -> list[IntArray]:
    """Return tokens of ``least`` to the most inputs: random, with ties, sorted, constant.

    The first has one sign only, so that a zero left over from a reset would come out.
    """
    longest = bed.block.spec.inputs_max
    tokens = []
    for n in range(40):
        length = longest if n % 3 == 0 else int(bed.rng.integers(least, longest + 1))
        keys = key(finite(bed.rng, (length,)))
        if n == 0:
            keys = bed.rng.choice([-1, 1]) * (abs(keys) + 1) // 2
        elif n % 8 == 1:
            keys = bed.rng.integers(-1, 2, length)
        elif n % 8 == 2:
            keys = np.sort(keys)
        elif n % 8 == 3:
            keys = np.sort(keys)[::-1]
        elif n % 8 == 4:
            keys = np.full(length, bed.rng.choice([-MAX_FINITE, 0, MAX_FINITE]))
        tokens.append(keys)
    return tokens


def beats_of(bed: Testbed, tokens: list[IntArray]) -> list[dict[str, Any]]:
    """Return the beats of some tokens; lanes that do not count hold extremes."""
    lanes = bed.block.spec.inputs_per_beat
    beats = []
    for token in tokens:
        for start in range(0, len(token), lanes):
            keys = token[start : start + lanes]
            fill = bed.rng.choice([-MAX_FINITE, MAX_FINITE], lanes - len(keys))
            last = int(start + lanes >= len(token))
            mask = (1 << len(keys)) - 1
            beats.append({"keys": [*keys, *fill], "mask": mask, "last": last})
    return beats


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def finds_outliers(dut, traffic: str) -> None:
    """Send the outliers in order, whatever k_top; a reset leaves nothing behind."""
    bed = await Testbed(dut).start()
    for k_top in (1, 2, bed.block.spec.outliers_max):
        bed.set(k_top=k_top)
        bed.send("i", beats_of(bed, tokens_of(bed, k_top)))
        await bed.disturb()
        await bed.restart(traffic)
        tokens = tokens_of(bed, k_top)
        bed.send("i", beats_of(bed, tokens))
        expected = [outlier for token in tokens for outlier in outliers_of(token, k_top)]
        assert await bed.receive("o", len(expected)) == expected


@cocotb.test(timeout_time=30, timeout_unit="us")
async def no_outliers_wanted(dut) -> None:
    """With k_top 0 tokens pass, one beat per cycle, and nothing comes out."""
    bed = await Testbed(dut).start(k_top=0)
    await bed.sources["i"].send(beats_of(bed, tokens_of(bed, 1)))
    await bed.cycles(20)
    assert bed.sinks["o"].valid_at == []


@cocotb.test(timeout_time=10, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Latency, and the cycles of beats and between tokens, are as stated."""
    bed = await Testbed(dut).start()
    spec, lanes = bed.block.spec, bed.block.spec.inputs_per_beat
    k_top = spec.outliers_max
    bed.set(k_top=k_top)
    # All equal: the first candidates fill the lists, and nothing later exceeds them.
    tokens = [np.full(spec.inputs_max, value) for value in (7, -7)]
    bed.send("i", beats_of(bed, tokens))
    await bed.receive("o", 4 * k_top)
    taken = np.array(bed.sources["i"].taken_at).reshape(2, -1)
    settled = k_top // lanes + 2  # beats until the lists are full
    np.testing.assert_array_equal(np.diff(taken[:, settled:]), 1)
    # A beat is held as many cycles as it has candidates; a full list has them one cycle longer.
    held = np.diff(taken[:, :2])
    assert (held >= min(lanes, k_top)).all()
    assert (held <= min(lanes, k_top + 2)).all()
    first = np.array(bed.sinks["o"].valid_at).reshape(2, -1)[:, 0]
    np.testing.assert_array_equal(first - taken[:, -1], bed.block.LATENCY)
    assert taken[1, 0] - taken[0, -1] - 1 == 2 * k_top + 3
