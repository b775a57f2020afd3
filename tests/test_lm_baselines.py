"""Published methods in the whole language model: keys and values by hand, forms of QuaRot."""

import numpy as np
import pytest

from golden.accuracy.lm_eval import quantised_model
from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.models.lm import kv_cache
from golden.models.lm.checkpoint import tensor_shapes
from golden.models.lm.config import Config
from golden.models.lm.kv_cache import published_cache
from golden.models.lm.model import Array, LanguageModel, rotate
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.layer import FakeQuantized

# Two groups of 128 in the widest layer, heads of 64.
SMALL = Config(
    vocabulary=40, hidden=128, layers=1, heads=2, kv_heads=2, head_width=64, inner=256, context=24
)
RNG = np.random.default_rng(4)
HEADS = RNG.normal(size=(3, 1, 2, 5, 16)).astype(np.float32)  # query, key, value: (B, H, T, d)


@pytest.fixture
def model() -> LanguageModel:
    """Return a small model of random weights."""
    rng = np.random.default_rng(0)
    shapes = tensor_shapes(SMALL).items()
    tensors = {
        n: rng.normal(size=s).astype(np.float32) / np.float32(s[-1] ** 0.5) for n, s in shapes
    }
    return LanguageModel(
        {n: np.ones_like(t) if t.ndim == 1 else t for n, t in tensors.items()}, SMALL
    )


@pytest.fixture
def text() -> np.ndarray:
    """Return four windows."""
    return np.random.default_rng(1).integers(SMALL.vocabulary, size=(4, SMALL.context))


def three(heads: Array) -> tuple[Array, Array, Array]:
    """Return query, key and value."""
    return heads[0], heads[1], heads[2]


def turn(heads: Array) -> Array:
    """Give positions, in larger steps than the model's."""
    return rotate(heads, 4.0)


def test_full_precision_changes_nothing() -> None:
    query, key, value = kv_cache.exact(*three(HEADS), turn)
    np.testing.assert_array_equal(query, turn(HEADS[0]))
    np.testing.assert_array_equal(key, turn(HEADS[1]))
    np.testing.assert_array_equal(value, HEADS[2])


def levels(rows: Array) -> int:
    """Return the most values that a token has in a head."""
    return max(len(np.unique(row.round(4))) for row in rows.reshape(-1, rows.shape[-1]))


def test_atom_rounds_keys_before_their_positions() -> None:
    """Sixteen levels from the least to the largest of each token and head; queries stay."""
    wide = np.tile(HEADS, 8)
    wide[..., 16:] += 0.37  # so that values are not the same again
    query, key, value = kv_cache.atom(*three(wide), turn)
    rounded = kv_cache.atom(*three(wide), lambda heads: heads)[1]
    np.testing.assert_array_equal(query, turn(wide[0]))
    np.testing.assert_allclose(key, turn(rounded), atol=1e-6)
    for kept, was in ((rounded, wide[1]), (value, wide[2])):
        assert levels(kept) <= 16
        step = np.ptp(was, axis=-1, keepdims=True) / 15
        assert (np.abs(kept - was) <= step * 1.0001).all()
        assert np.abs(kept - was).max() > step.max() / 4


def test_quarot_turns_queries_and_keys_alike() -> None:
    """Behind their positions, so that scores stay; then keys are rounded, and values as they are.

    Clipped at 0.95 of either end.
    """
    query, key, value = kv_cache.quarot(*three(HEADS), turn)
    turned = [turn(heads) @ hadamard(16).astype(np.float32) for heads in HEADS[:2]]
    np.testing.assert_allclose(query, turned[0], atol=1e-6)
    exact = turn(HEADS[0]) @ turn(HEADS[1]).swapaxes(2, 3)
    np.testing.assert_allclose(query @ turned[1].swapaxes(2, 3), exact, atol=1e-4)
    for kept, was in ((key, turned[1]), (value, HEADS[2])):
        low, high = (0.95 * end(was, axis=-1, keepdims=True) for end in (np.min, np.max))
        assert levels(kept) <= 16
        assert (np.ptp(kept, axis=-1, keepdims=True) <= (high - low) * 1.0001).all()
        assert (np.abs(kept - np.clip(was, low, high)) <= (high - low) / 15 * 1.0001).all()


@pytest.mark.parametrize("method", ["quarot", "quarot_asym_g128", "atom", "atom_128"])
def test_papers_caches_have_an_effect_in_the_model(
    method: str, model: LanguageModel, text: np.ndarray
) -> None:
    """Calibration and evaluation both have the cache; without the option nothing is rounded."""
    full, kept = (
        quantised_model(model, EvalOptions(method=method, bits_w=8, bits_a=8, kv=kv), text)
        for kv in ("full", "paper")
    )
    assert full.cache is kv_cache.exact
    assert kept.cache is kv_cache.CACHES[method.split("_")[0]]
    exact, close, far = (m.logits(text) for m in (model, full, kept))
    errors = [float(((found - exact) ** 2).mean() / exact.var()) for found in (close, far)]
    assert errors[0] < errors[1] < 0.3


@pytest.mark.parametrize("method", ["kllm", "rtn", "smoothquant", "fp16"])
def test_papers_without_a_cache_are_refused(method: str) -> None:
    with pytest.raises(InputError, match=f"the paper of {method} keeps keys and values in full"):
        published_cache(method)
    with pytest.raises(InputError, match="keys and values"):
        EvalOptions(method=method, kv="paper").check()


def test_the_language_model_has_each_form_of_quarot(model: LanguageModel, text: np.ndarray) -> None:
    """Rotated as a whole, with the layers that the name says: all differ, and in one thing each."""
    name = model.layer_names[-1]
    read = {}
    for method in ("quarot_rtn", "quarot", "quarot_asym", "quarot_g128", "quarot_asym_g128"):
        other = quantised_model(model, EvalOptions(method=method), text)
        assert other.before, "it turns inputs at run time"
        layer = other.linears[name]
        assert isinstance(layer, FakeQuantized)
        x = np.abs(np.random.default_rng(1).normal(size=(1, 256))).astype(np.float32)
        x[0, 0] = 9
        read[method] = layer.activation(x)[0]
    assert (read["quarot"] == read["quarot_rtn"]).all(), "they differ in weights alone"
    levels = {n: len(np.unique(row)) for n, row in read.items()}
    assert levels["quarot"] < levels["quarot_asym"]
    assert levels["quarot"] < levels["quarot_g128"] < levels["quarot_asym_g128"]
