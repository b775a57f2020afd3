"""cocotb bench for RankLists: sorted chunks, some with few keys, with gaps in between."""

import cocotb
import numpy as np

from golden.exact.outliers import select_outliers
from golden.exact.spec import IntArray
from hw.topk.baseline.rank_lists import NO_KEY, flush_cycles
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

ROUNDS = 20


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def keeps_the_largest(dut, traffic: str) -> None:
    """Whatever k_top, the k_top largest come in order; nothing stays for the next token."""
    bed = await Testbed(dut).start(traffic)
    spec = bed.block.spec
    await collect(bed)  # what was there at the start
    for n in range(ROUNDS):
        k_top = int(bed.rng.integers(spec.outliers_max + 1))
        if n < 3:
            k_top = (spec.outliers_max, 1, 0)[n]
        bed.set(k_top=k_top)
        length = int(bed.rng.integers(max(k_top, 1), spec.inputs_max + 1))
        spread = (2, 31743)[n % 2]
        keys = bed.rng.integers(-spread, spread + 1, length)
        if n % 4 == 2:
            keys = np.sort(keys)
        if n % 4 == 3:
            keys = clustered(keys, spec.values_per_beat, int(bed.rng.integers(1, 5)))
        await load(bed, keys)
        sink = bed.sinks["o"]
        before = len(sink.items)
        await collect(bed)
        largest = select_outliers(keys[None], k_top)[0, :k_top]
        assert sink.items[before:] == [
            {"key": int(keys[position]), "position": int(position)} for position in largest
        ]


def clustered(keys: IntArray, lanes: int, run: int) -> IntArray:
    """Return keys of which the largest ones stand together, ``run`` of them in each chunk."""
    ranks = np.arange(len(keys))
    heads = ranks % lanes < run
    order = np.concatenate([ranks[heads], ranks[~heads]])
    result = np.empty_like(keys)
    result[order] = np.sort(keys)[::-1]
    return result


async def load(bed: Testbed, keys: IntArray) -> None:
    """Sort each chunk of a token and load it."""
    lanes, ranks = bed.block.spec.values_per_beat, len(bed.block.lengths)
    for start in range(0, len(keys), lanes):
        while bed.rng.random() < 0.3:
            noise = [{"key": 31743, "position": 0}] * ranks
            bed.set(load=0, chunk=noise)
            await bed.cycles()
        chunk = keys[start : start + lanes]
        order = select_outliers(chunk[None], len(chunk))[0, : len(chunk)]
        entries = [{"key": int(chunk[n]), "position": int(start + n)} for n in order]
        entries += [{"key": NO_KEY, "position": 0}] * (lanes - len(chunk))
        bed.set(load=1, chunk=entries[:ranks])
        await bed.cycles()
    bed.set(load=0)


async def collect(bed: Testbed) -> None:
    """Gather what is wanted in the first list, and let it send that."""
    bed.set(flush=1)
    await bed.cycles(flush_cycles(bed.block.spec))
    bed.set(flush=0, drain=1)
    await bed.until("drained")
    bed.set(drain=0)
    await bed.cycles()
