"""Layers that no engine runs: the floor that weights leave, and integer grids."""

import numpy as np
import pytest

from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.models.layer_source import LayerSource, model_layer
from golden.quantise.methods.beyond import prepare_beyond

OUTPUTS = 48


@pytest.fixture(scope="module")
def source() -> LayerSource:
    return model_layer("encoder.layer.3.attention.self.query", 64, tuning=True)


def error(source: LayerSource, **options) -> float:
    """Return the root mean square error of some outputs."""
    chosen = EvalOptions(**options)
    chosen.check()
    weight, bias = source.weight[:, :OUTPUTS], source.bias[:OUTPUTS]
    known, x = (v.astype(np.float32) for v in (source.calibration, source.x.view(np.float16)))
    bits = {"bits_w": chosen.bits_w, "bits_a": chosen.bits_a, "seed": 0}
    layer = chosen.prepare()(weight, bias, known, **bits)
    return float(np.sqrt(((layer(x) - (x @ weight + bias)) ** 2).mean()))


def test_full_activations_are_the_floor_and_more_bits_come_nearer(source: LayerSource) -> None:
    floor, made, four = (error(source, bits_a=bits) for bits in (16, 8, 4))
    assert made == pytest.approx(floor, rel=0.05)
    assert floor < 0.8 * four
    grids = [error(source, recipe="uniform", bits_a=bits) for bits in (4, 5, 8, 16)]
    assert grids == sorted(grids, reverse=True)
    assert grids[0] > 1.1 * four, "codebooks are better than grids"
    assert error(source, recipe="uniform", bits_w=8, bits_a=8) < 0.2 * floor


def test_values_on_a_grid_lose_nothing() -> None:
    """Weights and activations are integers that the grids hold; the bias takes the mean."""
    rng = np.random.default_rng(3)
    weight = rng.integers(-8, 8, (32, 5)).astype(np.float32)
    weight[0] = 7  # all levels of the weights are in use
    x = rng.permuted(np.tile(np.arange(32.0) - 9, (60, 1)), axis=1).astype(np.float32)
    bias = np.arange(5, dtype=np.float32)
    layer = prepare_beyond(
        *(weight, bias, x),
        **{"bits_w": 4, "bits_a": 5, "seed": 0, "symmetric": True},
        **{"outlier_share": 0, "recipe": "uniform"},
    )
    np.testing.assert_allclose(layer(x), x @ weight + bias, rtol=2e-3, atol=2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bits_a": 16, "bits_w": 5}, "weight_bits must be 2, 3 or 4"),
        ({"recipe": "uniform", "bits_w": 9}, "bits_w must be from 2 to 8"),
        ({"recipe": "uniform", "bits_a": 9}, "bits_a must be from 2 to 8"),
    ],
)
def test_bits_that_nothing_has_are_refused(options: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        EvalOptions(**options).check()
