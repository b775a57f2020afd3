"""Wire codes: by hand, and that the stored table gives the whole one back."""

import numpy as np
import pytest

from golden.exact.mapping import index_code, stored_centroids, stored_table


@pytest.mark.parametrize(
    ("centroids", "codes"),
    [
        (4, [9, 8, 0, 1]),
        (8, [11, 10, 9, 8, 0, 1, 2, 3]),
        (16, [15, 14, 13, 12, 11, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_symmetric_codes_are_a_sign_and_a_magnitude(centroids: int, codes: list[int]) -> None:
    assert index_code(np.arange(centroids), centroids, symmetric=True).tolist() == codes


def test_plain_codes_are_indices() -> None:
    assert index_code(np.arange(8), 8, symmetric=False).tolist() == list(range(8))


def test_stored_parts_say_it_all() -> None:
    rng = np.random.default_rng(0)
    positive = np.sort(rng.integers(1, 99, 8))
    centroids = np.concatenate([-positive[::-1], positive])
    table = np.outer(centroids, centroids)
    kept, quarter = stored_centroids(centroids, symmetric=True), stored_table(table, symmetric=True)
    codes = index_code(np.arange(16), 16, symmetric=True)
    value = np.where(codes & 8, -1, 1) * kept[codes & 7]
    np.testing.assert_array_equal(value, centroids)
    sign = np.where((codes[:, None] ^ codes) & 8, -1, 1)
    np.testing.assert_array_equal(sign * quarter[np.ix_(codes & 7, codes & 7)], table)
    assert stored_table(table, symmetric=False) is table


def test_a_negative_product_of_positive_centroids_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        stored_table(-np.eye(16, dtype=np.int64), symmetric=True)
