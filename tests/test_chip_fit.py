"""What is chosen offline for the chip: layers in other scales and orders, the head, the cache."""

import numpy as np
import pytest

from golden.chip.fit import fit_head, paired, times
from golden.chip.spread import spread_layer
from golden.exact import fp16
from golden.exact.linear import forward
from golden.quantise.methods.hadamard import hadamard
from sim.kit.random_decoder import random_decoder


def test_pairs_are_neighbours() -> None:
    assert paired(8).tolist() == [0, 4, 1, 5, 2, 6, 3, 7]


def test_a_layer_becomes_as_many_times_as_large_with_its_bias_or_without() -> None:
    rng = np.random.default_rng(4)
    layer = random_decoder(rng).layers[0].query
    x = fp16.to_bits(rng.normal(size=(5, layer.inputs)))
    whole, half = (forward(one, x).y.view(np.float16) for one in (layer, times(layer, 0.5)))
    bias = layer.bias.view(np.float16)
    assert whole - bias == pytest.approx(2 * (half - bias), rel=0.01, abs=0.01)
    assert np.array_equal(forward(times(layer, 0.5, biased=True), x).y.view(np.float16), whole / 2)


def test_spread_keeps_products() -> None:
    rng = np.random.default_rng(5)
    both = rng.normal(size=(2, 100, 64)) * np.linspace(0.1, 3, 64)
    layer = spread_layer(64)
    found = [forward(layer, fp16.to_bits(x)).y.view(np.float16).astype(np.float64) for x in both]
    for x, y in zip(both, found, strict=True):
        assert y == pytest.approx(x @ hadamard(64), abs=0.3)
        assert np.sqrt(((y - x @ hadamard(64)) ** 2).mean()) < 0.02 * np.sqrt((x**2).mean())
    products = [(a * b).sum(axis=1) for a, b in (both, found)]
    assert np.abs(products[1] - products[0]).max() < 2
    # Rows are products without a rounding.
    assert not (np.arange(-127, 128)[:, None] * layer.w_centroids % 128)[:, [0, -1]].any()


def test_the_second_part_of_the_head_has_what_the_first_has_lost() -> None:
    rng = np.random.default_rng(6)
    weight, hidden = rng.normal(size=(32, 24)), rng.normal(size=(400, 32)) + 0.3
    wanted = hidden @ weight
    made = [
        forward(part, fp16.to_bits(hidden)).y.view(np.float16) for part in fit_head(weight, hidden)
    ]
    errors = [np.sqrt(((found - wanted) ** 2).mean()) for found in (made[0], made[0] + made[1])]
    assert errors[1] < errors[0] / 5
