"""Four ways in which neighbours feed a block and take from it."""

from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np

LONG_PAUSE = (20, 60)  # cycles: fills every queue, or runs it dry


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """How often sources and sinks pause.

    Parameters
    ----------
    source_stall, sink_stall : float
        Chance, per item or per cycle, of a pause.
    after_valid : bool
        Sinks are ready only in a cycle that follows one with ``valid`` high. A block that waits
        for ``ready`` before it raises ``valid`` then hangs, as it should.
    """

    source_stall: float = 0.0
    sink_stall: float = 0.0
    after_valid: bool = False


TRAFFIC = {
    "free": Traffic(),
    "slow_in": Traffic(source_stall=0.4),
    "slow_out": Traffic(sink_stall=0.4),
    "slow_both": Traffic(source_stall=0.4, sink_stall=0.4, after_valid=True),
}


def every_traffic(test: Any) -> Any:
    """Run a cocotb test once with each kind of traffic, as its argument ``traffic``."""
    return cocotb.parametrize(traffic=list(TRAFFIC))(test)


class Pauses:
    """Says, cycle by cycle, whether to hold back.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the pauses come from.
    stall : float
        Chance of beginning one. Most last one cycle, some long.
    """

    def __init__(self, rng: np.random.Generator, stall: float) -> None:
        self._rng, self._stall = rng, stall
        self._left = 0

    def __call__(self) -> bool:
        """Return whether to hold back in this cycle."""
        if self._left:
            self._left -= 1
            return True
        if self._stall == 0 or self._rng.random() >= self._stall:
            return False
        if self._rng.random() < 0.02:
            self._left = int(self._rng.integers(*LONG_PAUSE))
        return True
