"""Integer round-to-nearest, by hand."""

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.quantise.methods.grid import quantize_rows
from golden.quantise.methods.rtn import prepare_rtn


def test_a_row_s_largest_magnitude_is_seven_steps() -> None:
    """Steps of 0.5; 0.74 is 1.48 steps, 0.75 is 1.5, to the even neighbour, 2 steps."""
    rows = np.array([[3.5, -3.5, 0.74, 0.75, 0.24], [0, 0, 0, 0, 0]])
    np.testing.assert_allclose(
        quantize_rows(rows, 4), [[3.5, -3.5, 0.5, 1.0, 0.0], [0, 0, 0, 0, 0]]
    )


def test_groups_have_scales_of_their_own() -> None:
    rows = np.array([[7.0, 1.4, 0.7, 0.14, 0.1]])
    np.testing.assert_allclose(quantize_rows(rows, 4), [[7, 1, 1, 0, 0]])
    np.testing.assert_allclose(quantize_rows(rows, 4, group=2), [[7, 1, 0.7, 0.1, 0.1]])


def test_fewer_bits_have_fewer_steps() -> None:
    rows = np.array([[3.0, 1.4, -0.6]])
    np.testing.assert_allclose(quantize_rows(rows, 3), [[3, 1, -1]])
    np.testing.assert_allclose(quantize_rows(rows, 2), [[3, 0, 0]])


def test_linear_layer_rounds_both_operands() -> None:
    """Token (7, 1.4) becomes (7, 1); weights (7, 3.6) become (7, 4): 49 + 4 + 0.5."""
    weight, bias, x = (np.array(v, np.float32) for v in ([[7.0], [3.6]], [0.5], [[7.0, 1.4]]))
    layer = prepare_rtn(weight, bias, x, bits_w=4, bits_a=4, seed=0)
    assert layer(x).tolist() == [[53.5]]


@pytest.mark.parametrize(("bits", "group"), [(1, None), (9, None), (4, 0)])
def test_nonsense_is_refused(bits: int, group: int | None) -> None:
    with pytest.raises(InputError, match="must"):
        quantize_rows(np.ones((1, 2)), bits, group=group)
