"""What a simulation of one layer gave."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from golden.exact.fp16 import BitArray


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """What a simulation gave.

    Parameters
    ----------
    y : (T, N) uint16
        FP16 patterns of the engine's outputs.
    first, last_weights, last : (T,) int64
        Clock cycle of each token's first and last lookup beat, and of its last output beat.
    flags : dict
        The engine's sticky flags.
    simulated : int
        Clock cycles in all, loading included.
    seconds : float
        What they took of the processor's time, without the simulator's build.
    waves : Path or None
        The waveform, if one was recorded.
    """

    y: BitArray
    first: npt.NDArray[np.int64]
    last_weights: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    flags: dict[str, bool]
    simulated: int
    seconds: float
    waves: Path | None

    @property
    def cycles(self) -> npt.NDArray[np.int64]:
        """Cycles of each token from its first lookup beat to its last output beat, both in."""
        return self.last - self.first + 1

    @property
    def intervals(self) -> npt.NDArray[np.int64]:
        """Cycles from one token's first lookup beat to the next one's."""
        return np.diff(self.first)
