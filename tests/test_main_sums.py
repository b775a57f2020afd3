"""Fast sums of lookups against one lookup at a time."""

import numpy as np
import pytest

from golden.exact.main_sums import FLOAT32_EXACT, main_sums


@pytest.mark.parametrize("levels", [4, 8, 16])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("largest", [255, FLOAT32_EXACT])
def test_sums_are_those_of_single_lookups(levels: int, symmetric: bool, largest: int) -> None:
    rng = np.random.default_rng(levels)
    table = rng.integers(-largest, largest + 1, (levels, 16))
    if symmetric:
        table[: levels // 2] = -table[levels // 2 :][::-1]
    a, w = rng.integers(0, levels, (1500, 33)), rng.integers(0, 16, (33, 7)).astype(np.uint8)
    one_by_one = table[a[:, :, None], w[None].astype(np.int64)].sum(axis=1)
    np.testing.assert_array_equal(main_sums(table, a, w), one_by_one)


def test_the_largest_sum_that_float32_holds_is_exact() -> None:
    """65793 entries of 255 are 2**24 - 1; one more entry must not be lost either."""
    for inputs in (65793, 65794):
        a, w = np.zeros((1, inputs), np.int64), np.zeros((inputs, 1), np.uint8)
        assert main_sums(np.full((4, 4), 255), a, w).item() == 255 * inputs
