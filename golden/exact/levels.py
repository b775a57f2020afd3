"""Levels: the few magnitudes that activations on the grid are snapped to, for rows of 4 or 5 bits.

A codebook that is symmetric about zero, of 16 or 32 centroids, each a step of the grid: a snapped
activation is another step, so rows are made of it, and residuals taken from it, as of any other.
"""

import enum
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from golden.exact.spec import GRID_BITS, GRID_MAX, IntArray

STEP_BITS = GRID_BITS - 1  # of a magnitude on the grid
LEVELS_MAX = 16


class Form(enum.IntEnum):
    """How many levels activations have: those of the whole grid, or of a codebook on it."""

    A8 = 0
    A5 = 1
    A4 = 2

    @property
    def levels(self) -> int:
        """Levels of either sign; none where the grid is whole."""
        return {Form.A8: 0, Form.A5: LEVELS_MAX, Form.A4: LEVELS_MAX // 2}[self]


@dataclass(frozen=True)
class Levels:
    """What magnitudes on the grid are snapped to.

    A magnitude takes the level in whose range it is: from its ``first`` to before the next one's.
    Those of a layer ascend. What a program may load otherwise has ranges that overlap, or leave
    gaps: a magnitude then takes the bits of all its levels together, or 0.

    Parameters
    ----------
    first : (n,) int64
        Where the range of each level begins, 0 to 127, n being 8 or 16; that of level 0 at 0.
    value : (n,) int64
        The levels, in steps, 0 to 127.
    """

    first: IntArray
    value: IntArray

    def __post_init__(self) -> None:
        sizes = [form.levels for form in Form if form.levels]
        if len(self.value) not in sizes or self.first.shape != self.value.shape:
            raise ValueError(f"there must be 8 or 16 levels, got {len(self.value)}")
        for numbers in (self.first, self.value):
            if numbers.min() < 0 or numbers.max() > GRID_MAX:
                raise ValueError(f"levels and where they begin must be from 0 to {GRID_MAX}")
        if self.first[0]:
            raise ValueError(f"level 0 must begin at 0, begins at {self.first[0]}")

    @property
    def form(self) -> Form:
        """The form that these levels make."""
        return next(form for form in Form if form.levels == len(self.value))

    @cached_property
    def table(self) -> IntArray:
        """The level of each magnitude, 0 to 127."""
        begun = np.arange(GRID_MAX + 1)[:, None] >= self.first
        ended = np.pad(begun[:, 1:], ((0, 0), (0, 1)))
        return np.bitwise_or.reduce(np.where(begun & ~ended, self.value, 0), axis=1)

    def snapped(self, index: IntArray) -> IntArray:
        """Return indices into :data:`golden.exact.grid.GRID` with magnitudes snapped.

        Signs stay; a step of 0 counts as positive.
        """
        steps = index - GRID_MAX
        magnitude = self.table[np.abs(steps)]
        return GRID_MAX + np.where(steps < 0, -magnitude, magnitude)
