"""Blocks that take new operands in every cycle and answer a fixed number of cycles later."""

from collections.abc import Sequence
from typing import Any

from sim.kit.testbed import Testbed


async def answers(bed: Testbed, output: str, latency: int, **inputs: Sequence[Any]) -> list[Any]:
    """Return a block's answer to each case, taken ``latency`` cycles after its operands.

    Parameters
    ----------
    bed : Testbed
        Started, unless the block is combinational.
    output : str
        Port to look at.
    latency : int
        0 for a combinational block.
    **inputs : sequence
        For each port, its value in one cycle after another; afterwards the last one stays.
    """
    count = len(next(iter(inputs.values())))
    got = []
    for n in range(count + latency):
        case = {name: values[min(n, count - 1)] for name, values in inputs.items()}
        if not latency:
            got += await bed.evaluate(output, **case)
            continue
        bed.set(**case)
        await bed.settled()
        if n >= latency:
            got.append(bed.get(output))
        await bed.cycles()
    return got
