"""Quantisation of whole layers: edge cases, what is refused, determinism, error against bits."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.exact.fp16 import to_bits
from golden.exact.linear import forward, reference
from golden.quantise.quantize import quantize_linear, to_scale

ROOT = Path(__file__).resolve().parent.parent


def layer_of(seed: int = 0, inputs: int = 40, outputs: int = 12, tokens: int = 90):
    rng = np.random.default_rng(seed)
    weight = rng.standard_t(5, (inputs, outputs)) * 0.03
    return weight, rng.normal(size=outputs), rng.standard_t(4, (tokens, inputs))


def relative_error(weight, bias, x, **options) -> float:
    """Return the error of the engine's outputs on other tokens than calibration's."""
    layer = quantize_linear(weight, bias, x[:-20], **options)
    bits = to_bits(x[-20:])
    y = forward(layer, bits).y.view(np.float16).astype(np.float64)
    ideal = bits.view(np.float16).astype(np.float64) @ weight + bias
    return float(np.sqrt(((y - ideal) ** 2).mean() / ((ideal - bias) ** 2).mean()))


@pytest.mark.parametrize("symmetric", [False, True])
def test_more_bits_err_less(symmetric: bool) -> None:
    weight, bias, x = layer_of()
    errors = [
        relative_error(weight, bias, x, weight_bits=b, activation_bits=b, symmetric=symmetric)
        for b in (2, 3, 4)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.15


def test_outliers_help() -> None:
    weight, bias, x = layer_of(1)
    x[:, 3] *= 40
    errors = [relative_error(weight, bias, x, outlier_share=share) for share in (0, 0.05, 0.2)]
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (1, 5), (5, 1), (2, 2)])
def test_the_smallest_layers_work(inputs: int, outputs: int, symmetric: bool) -> None:
    weight, bias, x = layer_of(2, inputs, outputs)
    layer = quantize_linear(weight, bias, x, symmetric=symmetric)
    result = forward(layer, to_bits(x))
    assert result.y.shape == (len(x), outputs)


@pytest.mark.parametrize("symmetric", [False, True])
def test_channels_of_zeros_give_their_bias(symmetric: bool) -> None:
    weight, bias, x = layer_of(3)
    weight[:, [2, 7]] = 0
    result = forward(quantize_linear(weight, bias, x, symmetric=symmetric), to_bits(x))
    y = result.y.view(np.float16)
    np.testing.assert_array_equal(y[:, [2, 7]], np.broadcast_to(np.float16(bias[[2, 7]]), (90, 2)))


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5])
def test_constant_activations_work(value: float) -> None:
    weight, bias, x = layer_of(4)
    x[:] = value
    layer = quantize_linear(weight, bias, x)
    y = forward(layer, to_bits(x)).y.view(np.float16).astype(np.float64)
    ideal = x @ weight + bias
    np.testing.assert_allclose(y, ideal, atol=0.1 * abs(value) + 2e-3)


def test_scales_carry_the_table_s_unit() -> None:
    """The reference, which knows no table, must be near the FP32 layer too."""
    weight, bias, x = layer_of(5)
    layer = quantize_linear(weight, bias, x)
    bits = to_bits(x)
    ideal = bits.view(np.float16).astype(np.float64) @ weight + bias
    error = reference(layer, bits, forward(layer, bits)) - ideal
    assert np.sqrt((error**2).mean()) < 0.15 * ideal.std()


def test_a_scale_is_rounded_to_eleven_bits() -> None:
    scale = to_scale(np.array([1.0, 2047.4, 2047.6, 1 / 3, 0.0]))
    assert scale.value()[:3].tolist() == [1, 2047, 2048]
    assert scale.value()[3] == pytest.approx(1 / 3, rel=2**-11)
    assert (scale.mantissa >= 1024).all()
    assert (scale.mantissa < 2048).all()
    with pytest.raises(InputError, match="too large"):
        to_scale(np.array([1e30]))


def broken(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[7] = value
    return array


WEIGHT, BIAS, X = layer_of(6)


@pytest.mark.parametrize(
    ("weight", "bias", "x", "said"),
    [
        (broken(WEIGHT, np.nan), BIAS, X, r"weight must be finite, but \[0, 7\] is nan"),
        (WEIGHT, broken(BIAS, np.inf), X, r"bias must be finite, but \[7\] is inf"),
        (WEIGHT, broken(BIAS, 1e6), X, "bias must fit FP16"),
        (WEIGHT, BIAS, broken(X, -np.inf), r"activations must be finite, but \[0, 7\] is -inf"),
        (WEIGHT, BIAS[:-1], X, r"bias must have shape \(12,\)"),
        (WEIGHT, BIAS, X[:, :-1], r"activations must have shape \(T, 40\)"),
        (WEIGHT, BIAS, X[:0], "T at least 1"),
        (WEIGHT[:0], BIAS, X[:, :0], "both at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(weight, bias, x, said: str) -> None:
    with pytest.raises(InputError, match=said):
        quantize_linear(weight, bias, x)


@pytest.mark.parametrize(
    "options",
    [
        {"weight_bits": 5},
        {"activation_bits": 1},
        {"outlier_share": 0.51},
        {"magnitude_bits": 3},
    ],
)
def test_options_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(InputError, match="must be"):
        quantize_linear(WEIGHT, BIAS, X, **options)


SCRIPT = """
import hashlib, sys
sys.path.insert(0, "tests")
from test_quantize import digest
print(digest())
"""


def digest() -> str:
    """Return a digest of everything in a quantised layer."""
    layer = quantize_linear(WEIGHT, BIAS, X, symmetric=True)
    parts = (layer.a_centroids, layer.w_centroids, layer.product_table, layer.w_index)
    scales = (layer.w_scale.mantissa, layer.w_scale.exponent, layer.bias)
    return hashlib.sha256(b"".join(p.tobytes() for p in (*parts, *scales))).hexdigest()


def test_the_same_layer_comes_out_in_another_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "77", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == digest(), done.stderr


@pytest.mark.parametrize("recipe", ["refined", "weighted", "paper"])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("kind", ["one token", "equal tokens", "zeros"])
def test_calibration_that_says_little_is_enough(recipe: str, symmetric: bool, kind: str) -> None:
    """Tokens without any spread leave no moments to fit to; the layer is still one."""
    rng = np.random.default_rng(1)
    weight, bias, x = rng.normal(size=(24, 9)), rng.normal(size=9), rng.normal(size=(1, 24))
    seen = {"one token": x, "equal tokens": np.repeat(x, 4, axis=0), "zeros": np.zeros((2, 24))}
    layer = quantize_linear(weight, bias, seen[kind], symmetric=symmetric, recipe=recipe)
    y = forward(layer, seen[kind].astype(np.float16).view(np.uint16)).y.view(np.float16)
    exact = seen[kind] @ weight + bias
    assert np.abs(y - exact).max() < 0.5 * np.abs(weight).sum(axis=0).max()
