"""cocotb bench for ChunkSorter: random keys and many equal ones, a chunk in every cycle."""

import cocotb
import numpy as np

from golden.exact.fp16 import MAX_FINITE
from golden.exact.outliers import select_outliers
from sim.kit.free_running import answers
from sim.kit.testbed import Testbed

CHUNKS = 200


@cocotb.test(timeout_time=20, timeout_unit="us")
async def sorts(dut) -> None:
    """Keys come out in descending order, the lanes of equal ones in both orders."""
    bed = await Testbed(dut).start()
    lanes = bed.block.lanes
    chunks = [
        bed.rng.integers(-spread, spread + 1, lanes)
        for spread in bed.rng.choice([0, 1, 3, MAX_FINITE], CHUNKS)
    ]
    for chunk, entries in zip(chunks, await answers(bed, "o", keys=chunks), strict=True):
        check(chunk, entries)


def check(keys: np.ndarray, entries: list[dict[str, int]]) -> None:
    """Compare with the order of both sides' outliers."""
    lanes = len(keys)
    both = select_outliers(keys[None], lanes)[0]
    assert [entry["key"] for entry in entries] == list(keys[both[:lanes]])
    assert [entry["rising"] for entry in entries] == list(both[:lanes])
    assert [entry["falling"] for entry in entries][::-1] == list(both[lanes:])
