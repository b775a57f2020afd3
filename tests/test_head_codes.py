"""Keys, values and queries of MiniLM on indices: what codes keep, and what asks for them."""

import numpy as np
import pytest

from golden.accuracy.made import MOST, Made
from golden.accuracy.on_indices import OnIndices, Watch, function_bits, parse_operations
from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.exact.cache_codes import CacheFormat, cache_codes, values_of
from golden.exact.fp16 import to_bits
from golden.exact.token_scale import ScaleFactor
from golden.models.minilm import gelu
from golden.models.operations import EXACT
from golden.quantise.cache_fit import HeadCodes, level_scales

FORM = CacheFormat(
    ScaleFactor.mean(2), np.arange(1, 8) * 16, np.array([0, 64, 128, 192, 256, 320, 384, 448])
)


def heads(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return queries, keys and values (2, 60, 32)."""
    query, key, value = np.random.default_rng(seed).normal(size=(3, 2, 60, 32)).astype(np.float32)
    return query, key + 3, value


def test_codes_stand_for_values_by_hand() -> None:
    """3 and -1 have the scale 2: 24 steps of 1/16 and 8, which are one magnitude and none."""
    codes, scales = cache_codes(to_bits(np.array([[3.0, -1.0]])), FORM)
    assert codes.tolist() == [[1, 8]]
    assert values_of(codes, scales, FORM).tolist() == [[2, 0]]
    # With the square root of 10 for a scale, the one code has the square of both.
    found = level_scales(np.array([[3.0, -1.0]], np.float32), codes, FORM)
    assert found.view(np.float16)[0] == np.float16(10**0.5)


def test_level_scales_lose_less() -> None:
    query, key, value = heads(1)
    codes = HeadCodes.fit(query, key, value, 4)
    chip, level = (codes.kept(key, value, level=one) for one in (False, True))
    exact = (key + codes.offset) @ codes.turn, value
    for found, better, wanted in zip(chip, level, exact, strict=True):
        lost, less = (np.sqrt(((x - wanted) ** 2).mean()) for x in (found, better))
        assert 0.05 < less < 0.98 * lost < 0.15
        squares = (better**2).sum(axis=-1) / (wanted**2).sum(axis=-1)
        np.testing.assert_allclose(squares, 1, atol=2**-9)


def test_keys_lose_their_mean_alone() -> None:
    """What is added to keys is the same for all, and a turn of both sides changes no score."""
    query, key, value = heads(2)
    codes = HeadCodes.fit(query, key, value, 5)
    assert np.abs((key + codes.offset).mean(axis=1)).max() < 1e-5
    np.testing.assert_allclose(codes.turn @ codes.turn.T, np.eye(32), atol=1e-6)
    read = codes.read(query @ codes.turn)
    assert 0.005 < np.sqrt(((read - query @ codes.turn) ** 2).mean()) < 0.06


def test_operations_of_heads() -> None:
    query, key, value = heads(3)
    watch = Watch()
    assert watch.heads("l", query, key, value)[1] is key
    fitted = watch.fitted()
    same = OnIndices(("softmax",), fitted).heads("l", query, key, value)
    assert all(a is b for a, b in zip(same, EXACT.heads("l", query, key, value), strict=True))
    codes = fitted.heads["l"]
    found = OnIndices(("q",), fitted).heads("l", query, key, value)
    np.testing.assert_allclose(found[1], key @ codes.turn, rtol=1e-6)
    np.testing.assert_array_equal(found[0], codes.read(query @ codes.turn))
    level = OnIndices(("kv_level",), fitted).heads("l", query, key, value)
    np.testing.assert_array_equal(level[1], codes.kept(key, value, level=True)[0])
    np.testing.assert_array_equal(level[0], query @ codes.turn)
    plain = OnIndices(("kv",), fitted).heads("l", query, key, value)
    np.testing.assert_array_equal(plain[2], codes.kept(key, value)[1])


def test_one_form_of_each() -> None:
    assert parse_operations("q,kv", "minilm") == ("kv", "q")
    for text in ("gelu,gelu5", "kv,kv_level"):
        with pytest.raises(InputError, match="forms of the same"):
            parse_operations(text, "minilm")
    assert [function_bits(names) for names in ((), ("gelu",), ("q", "gelu6"))] == [4, 4, 6]


def test_more_indices_of_gelu_lose_less() -> None:
    """A bit more halves the error of a map, and a watch makes maps of as many as it is told."""
    x = np.random.default_rng(4).normal(size=600).astype(np.float32)
    lost = []
    for bits, name in ((4, "gelu"), (5, "gelu5"), (6, "gelu6")):
        watch = Watch(function_bits((name,)))
        exact = watch.activation("l", x, gelu(x))
        fitted = watch.fitted()
        assert len(fitted.maps["l"].values) == 2**bits
        found = OnIndices((name,), fitted).activation("l", x, exact)
        lost.append(np.sqrt(((found - exact) ** 2).mean()))
    assert 0.01 < lost[0] < 0.04
    assert lost[1] < lost[0] / 1.7
    assert lost[2] < lost[1] / 1.5


def test_models_are_made_once() -> None:
    made: Made[int] = Made()
    asked: list[int] = []

    def get(seed: int) -> int:
        return made.get(EvalOptions(seed=seed), lambda: asked.append(seed) or seed)

    assert [get(seed) for seed in (0, 1, 0, 2, 1)] == [0, 1, 0, 2, 1]
    assert asked == [0, 1, 2]
    assert len(made.models) == MOST
    get(3)  # the oldest leaves
    get(0)
    assert asked == [0, 1, 2, 3, 0]
