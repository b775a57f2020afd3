"""Blocks that take new operands in every cycle and answer a fixed number of cycles later."""

from collections.abc import Mapping, Sequence
from typing import Any

from sim.kit.testbed import Testbed


async def answers(
    bed: Testbed, output: str, late: Mapping[str, Sequence[Any]] | None = None, **inputs: Any
) -> list[Any]:
    """Return a block's answer to each case, taken as late after its operands as the block says.

    Parameters
    ----------
    bed : Testbed
        Started here unless the block is combinational or the bench has started it.
    output : str
        Port to look at.
    late : mapping, optional
        As ``inputs``, for ports that a pipelined block takes one cycle later.
    **inputs : sequence
        For each port, its value in one cycle after another; afterwards the last one stays.
    """
    late, latency = late or {}, bed.latency
    count = len(next(iter(inputs.values())))
    if latency and not bed.started:
        await bed.start()
    got = []
    for n in range(count + latency):
        case = {name: values[min(n, count - 1)] for name, values in inputs.items()}
        then = min(max(n - bool(latency), 0), count - 1)
        case |= {name: values[then] for name, values in late.items()}
        if not latency:
            got += await bed.evaluate(output, **case)
            continue
        bed.set(**case)
        await bed.settled()
        if n >= latency:
            got.append(bed.get(output))
        await bed.cycles()
    return got
