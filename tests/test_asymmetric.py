"""Grids with a zero point, and the published methods that have them, on cases worked by hand."""

from typing import Any

import numpy as np
import pytest

from golden.quantise.methods.grid import quantize_rows
from golden.quantise.methods.quarot import prepare_rotated
from golden.quantise.methods.table import require_method


def test_an_asymmetric_grid_by_hand() -> None:
    """From -1 to 2 in three steps of 1: 0.4 becomes 0. A symmetric grid's steps would be 2."""
    values = np.array([[-1, 0.4, 0.6, 2]])
    assert quantize_rows(values, 2, asymmetric=True).tolist() == [[-1, 0, 1, 2]]
    assert quantize_rows(values, 2).tolist() == [[0, 0, 0, 2]]
    # Clipped at a half, from -0.5 to 1: steps of 0.5.
    clipped = quantize_rows(values, 2, clip=0.5, asymmetric=True)
    assert clipped.tolist() == [[-0.5, 0.5, 0.5, 1]]


def test_a_row_reaches_to_zero_and_a_group_need_not() -> None:
    """Values from 4 to 7: alone they are a row of steps of 7/3, in a group of steps of 1."""
    values = np.array([[4, 5, 6, 7.0]])
    np.testing.assert_allclose(
        quantize_rows(values, 2, asymmetric=True), [[14 / 3, 14 / 3, 7, 7]], rtol=1e-12
    )
    np.testing.assert_array_equal(quantize_rows(values, 2, asymmetric=True, group=4), values)
    np.testing.assert_array_equal(quantize_rows(-values, 2, asymmetric=True, group=4), -values)


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0])
@pytest.mark.parametrize("group", [None, 2])
def test_equal_values_stay(value: float, group: int | None) -> None:
    found = quantize_rows(np.full((1, 4), value), 4, asymmetric=True, group=group)
    np.testing.assert_allclose(found, value, rtol=1e-12)


def lopsided(inputs: int = 256, outputs: int = 16) -> tuple[np.ndarray, ...]:
    """Return a layer whose inputs are mostly positive, as those behind an activation are."""
    rng = np.random.default_rng(2)
    weight = rng.normal(size=(inputs, outputs)).astype(np.float32)
    # The second half of the channels is a tenth of the first.
    loudness = np.repeat([1, 0.1], inputs // 2)
    x = (np.maximum(rng.normal(size=(128, inputs)), -0.2) * loudness).astype(np.float32)
    return weight, np.zeros(outputs, np.float32), x


@pytest.mark.parametrize(
    ("plain", "better"),
    [("rtn", "rtn_asym"), ("rtn_g128", "rtn_asym_g128"), ("rtn_asym", "rtn_asym_g128")],
)
def test_zero_points_and_groups_pay(plain: str, better: str) -> None:
    weight, bias, x = lopsided()
    errors = [
        ((require_method(n)(weight, bias, x, bits_w=8, bits_a=3, seed=0)(x) - x @ weight) ** 2)
        for n in (plain, better)
    ]
    assert errors[1].mean() < 0.85 * errors[0].mean()


@pytest.mark.parametrize("options", [{"asymmetric": True}, {"group": 128}])
def test_quarot_has_them_too(options: dict[str, Any]) -> None:
    """In the basis that it is given: of its forms the published main one errs most."""
    weight, bias, x = lopsided()
    plain, other = (
        prepare_rotated(weight, bias, x, bits_w=4, bits_a=3, seed=0, **form)
        for form in ({}, options)
    )
    errors = [((layer(x) - x @ weight) ** 2).mean() for layer in (plain, other)]
    assert errors[1] < 0.85 * errors[0]
    steps = [len(np.unique(np.abs(row))) for row in (plain.weight[0], other.weight[0])]
    assert (steps[1] > steps[0]) == ("group" in options), "weights have groups as activations have"
