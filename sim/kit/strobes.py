"""Blocks without handshakes: a strobe says that operands count, another that a result does."""

from collections.abc import Sequence
from typing import Any

from sim.kit.clock import cycle
from sim.kit.testbed import Testbed

DRAIN = 120  # cycles: more than any such pipeline is long


def _set(bed: Testbed, name: str, value: Any) -> None:
    """Drive a port, or each port of an array of them."""
    if isinstance(value, Sequence):
        bed.set(**{f"{name}__{n}": part for n, part in enumerate(value)})
    else:
        bed.set(**{name: value})


async def strobed(
    bed: Testbed, pause: float, **inputs: Sequence[Any]
) -> tuple[list[int], list[Any], list[int]]:
    """Send operands with ``i_en``; return when, the results of ``o`` with ``o_en``, and when.

    Parameters
    ----------
    bed : Testbed
        Started.
    pause : float
        Chance of a cycle in which the strobe is low. The operands are then any.
    **inputs : sequence
        For each port, its values.
    """
    count = len(next(iter(inputs.values())))
    sent, got, came = [], [], []
    n, left = 0, DRAIN
    while n < count or left:
        on = n < count and bed.rng.random() >= pause
        shown = n if on else int(bed.rng.integers(count))
        bed.set(i_en=int(on))
        for name, values in inputs.items():
            _set(bed, name, values[shown])
        await bed.settled()
        if on:
            sent.append(cycle())
            n += 1
        left -= n == count and not on
        if bed.get("o_en"):
            got.append(bed.get("o"))
            came.append(cycle())
        await bed.cycles()
    bed.set(i_en=0)
    return sent, got, came
