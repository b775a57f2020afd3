"""Feeding the lanes of the baseline arrays."""

from collections.abc import Sequence
from typing import Any

from sim.kit.testbed import Testbed

Case = dict[str, Any]


async def lane_sums(bed: Testbed, at_once: Sequence[Case], later: Sequence[Case]) -> list[int]:
    """Return what a lane makes of each case, one a cycle.

    Parameters
    ----------
    bed : Testbed
        The lane; it may be pipelined.
    at_once : sequence of dict
        Inputs of each case.
    later : sequence of dict
        Inputs that a pipelined lane takes one cycle later.
    """
    latency, count = bed.block.latency, len(at_once)
    if not latency:
        return [
            (await bed.evaluate("sum", **now, **then))[0]
            for now, then in zip(at_once, later, strict=True)
        ]
    await bed.start()
    sums = []
    for n in range(count + latency):
        bed.set(**at_once[min(n, count - 1)], **later[min(max(n - 1, 0), count - 1)])
        await bed.settled()
        if n >= latency:
            sums.append(bed.get("sum"))
        await bed.cycles()
    return sums
