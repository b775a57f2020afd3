"""The paper's trees, step by step: selection by definition, and comparisons counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.orizuru import tree_comparisons, tree_select
from golden.outliers import select_outliers


@given(
    st.lists(st.integers(-3, 3) | st.integers(-31743, 31743), min_size=1, max_size=70), st.data()
)
def test_trees_find_what_the_definition_says(keys: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(keys)))
    found = tree_select(np.array(keys), k)
    expected = select_outliers(np.array([keys]), k)[0]
    np.testing.assert_array_equal(found.largest, expected[:k])
    np.testing.assert_array_equal(found.smallest, expected[k:])
    assert found.comparisons == tree_comparisons(len(keys), k)


@pytest.mark.parametrize(
    ("inputs", "k", "count"),
    [
        (2, 1, 1),  # one comparison tells the larger and the smaller
        (4, 1, 2 + 1 + 1),  # two of leaves, then a final in each tree
        (4, 2, 4 + 1 + 1),  # after the first pop of each side its final is played again
        (8, 1, 4 + 3 + 3),
        (8, 3, 10 + 2 * 2 * 2),  # two pops more on each side, two levels each
        (5, 2, 10 + 2 * 2),  # filled up to 8
    ],
)
def test_comparisons_counted_by_hand(inputs: int, k: int, count: int) -> None:
    assert tree_select(np.arange(inputs), k).comparisons == count
    assert tree_comparisons(inputs, k) == count


def test_the_paper_s_size() -> None:
    """1.5 * 4096 + 2 * 21 * 12 = 6648, less 2 * 21 + 2 * 12."""
    keys = np.random.default_rng(0).integers(-31743, 31744, 4096)
    found = tree_select(keys, 21)
    assert found.comparisons == 6648 - 42 - 24
    np.testing.assert_array_equal(found.largest, np.argsort(-keys, kind="stable")[:21])


def test_more_pops_than_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to N = 3"):
        tree_select(np.arange(3), 4)
