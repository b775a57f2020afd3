"""The paper's trees, step by step: selection by definition, and comparisons counted by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.exact.orizuru import hierarchy, hierarchy_comparisons, leaves, tree_comparisons
from golden.exact.outliers import select_outliers
from golden.exact.spec import IntArray
from tests.orizuru_trees import TreeResult, select


def tree_select(keys: IntArray, k: int) -> TreeResult:
    """One tree on each side is a hierarchy of one level."""
    return select(keys, k, [(1, leaves(len(keys)))])


def hierarchy_select(keys: IntArray, k: int, inputs: int | None = None) -> TreeResult:
    return select(keys, k, hierarchy(inputs or len(keys)))


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


@given(
    st.lists(st.integers(-3, 3) | st.integers(-31743, 31743), min_size=1, max_size=300),
    st.integers(0, 300),
    st.data(),
)
def test_units_find_what_the_definition_says(
    keys: list[int], room: int, data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, min(len(keys), 25)))
    inputs = len(keys) + room
    found = hierarchy_select(np.array(keys), k, inputs)
    expected = select_outliers(np.array([keys]), k)[0]
    np.testing.assert_array_equal(found.largest, expected[:k])
    np.testing.assert_array_equal(found.smallest, expected[k:])
    assert found.comparisons == hierarchy_comparisons(inputs, k)


@pytest.mark.parametrize(
    ("inputs", "levels"),
    [
        (1, [(1, 2)]),
        (5, [(1, 8)]),
        (16, [(1, 16)]),
        (17, [(2, 16), (1, 2)]),
        (48, [(3, 16), (1, 4)]),
        (257, [(17, 16), (2, 16), (1, 2)]),
        (4096, [(256, 16), (16, 16), (1, 16)]),
    ],
)
def test_levels_of_units(inputs: int, levels: list[tuple[int, int]]) -> None:
    assert hierarchy(inputs) == levels


@pytest.mark.parametrize(
    ("inputs", "k", "count"),
    [
        (8, 3, 18),  # one unit has nothing to look ahead for: as above
        (32, 0, 2 * 22 + 2),  # two units of 8 + 2 * 7, and a final in each tree
        (32, 1, 46 + 2 * 2 * 3),  # all four trees look for their second keys, three levels each
        (32, 2, 58 + 2 * (3 + 1)),  # then one unit on each side for a third, and the final
        (256, 1, 16 * 22 + 2 * 15 + 2 * 16 * 3),
        (512, 1, 32 * 22 + 2 * 31 + 2 * ((32 + 2) * 3 + 2 * 4)),  # both middle units pop one
    ],
)
def test_comparisons_of_units_counted_by_hand(inputs: int, k: int, count: int) -> None:
    assert hierarchy_comparisons(inputs, k) == count
    assert hierarchy_select(np.arange(inputs), k).comparisons == count


def test_looking_ahead_costs_the_same_whatever_k() -> None:
    for k in (1, 2, 21, 205):
        assert hierarchy_comparisons(4096, k) - tree_comparisons(4096, k) == 1760


@pytest.mark.parametrize("selection", [tree_select, hierarchy_select])
def test_no_key_is_found_twice(selection: Callable[[IntArray, int], TreeResult]) -> None:
    found = selection(np.zeros(40, np.int64), 40)
    np.testing.assert_array_equal(found.largest, np.arange(40))
    np.testing.assert_array_equal(found.smallest, np.arange(40))
