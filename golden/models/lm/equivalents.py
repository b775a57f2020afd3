"""The language model in other forms that compute the same, as methods want it before they round.

QuaRot's: norms' gains in the weights behind them, the residual stream rotated by a randomised
Hadamard matrix, values rotated within each head, and a Hadamard matrix that runs in front of
``o_proj`` and ``down_proj``. SmoothQuant's: input channels divided in norms' gains. This project's:
gains in the weights and the residual stream turned, which needs no hardware.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from golden.models.lm.checkpoint import EMBEDDING, HEAD
from golden.models.lm.config import ATTENTION, FEED_FORWARD
from golden.models.lm.model import Array, LanguageModel
from golden.models.lm.tokens import Tokens
from golden.quantise.methods.hadamard import hadamard, random_hadamard
from golden.quantise.methods.smoothquant import best_scales

# What reads the output of each norm.
READERS = {"input_layernorm": ATTENTION[:3], "post_attention_layernorm": FEED_FORWARD[:2]}


def with_gains_in_weights(model: LanguageModel) -> LanguageModel:
    """Return the model with gains of 1: each norm's gain stands in the matrices that read it."""
    tensors = dict(model.tensors)
    for layer in _layers(model):
        for norm, readers in READERS.items():
            gain = tensors[f"{layer}.{norm}.weight"]
            for name in readers:
                tensors[f"{layer}.{name}.weight"] = tensors[f"{layer}.{name}.weight"] * gain
            tensors[f"{layer}.{norm}.weight"] = np.ones_like(gain)
    gain = tensors["model.norm.weight"]
    tensors[HEAD] = tensors.get(HEAD, tensors[EMBEDDING]) * gain
    tensors["model.norm.weight"] = np.ones_like(gain)
    return replace(model, tensors=tensors)


def rotated(model: LanguageModel, seed: int) -> LanguageModel:
    """Return the model as QuaRot rotates it; the caches of keys and values stay as they are."""
    config = model.config
    model = _residual_turned(model, random_hadamard(config.hidden, seed))
    tensors = dict(model.tensors)
    inner = hadamard(config.inner)
    head = hadamard(config.head_width)
    across = np.kron(hadamard(config.heads), np.eye(len(head)))
    within, of_values = (np.kron(np.eye(n), head) for n in (config.heads, config.kv_heads))
    before: dict[str, Array] = {}
    for layer in _layers(model):
        _turn_outputs(tensors, f"{layer}.self_attn.v_proj", of_values)
        out, down = f"{layer}.self_attn.o_proj", f"{layer}.mlp.down_proj"
        tensors[f"{out}.weight"] = _product(tensors[f"{out}.weight"], within, across)
        tensors[f"{down}.weight"] = _product(tensors[f"{down}.weight"], inner)
        before[out] = across.astype(np.float32)
        before[down] = inner.astype(np.float32)
    return replace(model, tensors=tensors, before=before)


def turned(model: LanguageModel, seed: int, windows: Tokens) -> LanguageModel:
    """Return the model with its residual stream turned so that one channel holds what is common.

    What the normalised stream has in common over all tokens and layers, the main direction of
    its second moments, is one large channel, which outliers keep exact. The others mix all
    the rest at random: they are alike, and much like normal noise. Nothing is left to run.

    Parameters
    ----------
    model : LanguageModel
    seed : int
        Of the mixing.
    windows : (W, T) int64
        Calibration text.
    """
    return _residual_turned(model, common_turn(model, seed, windows))


def common_turn(model: LanguageModel, seed: int, windows: Tokens) -> npt.NDArray[np.float64]:
    """Return the rotation (hidden, hidden) of :func:`turned`; the first column is the common."""
    model = with_gains_in_weights(model)
    first = [f"{layer}.{readers[0]}" for layer in _layers(model) for readers in READERS.values()]
    moments = sum(x.T @ x for x in model.activations(first, windows).values())
    common = np.linalg.eigh(np.asarray(moments, np.float64))[1][:, -1:]
    others = np.random.default_rng(seed).normal(size=(len(common), len(common) - 1))
    rotation = np.linalg.qr(np.concatenate([common, others], axis=1))[0]
    return np.asarray(rotation, np.float64)


def smoothed(model: LanguageModel, windows: Tokens, *, bits_w: int, bits_a: int) -> LanguageModel:
    """Return the model with SmoothQuant's scales in the norms' gains and the weights behind them.

    As in its published code, layers that follow no norm stay as they are.

    Parameters
    ----------
    model : LanguageModel
    windows : (W, T) int64
        Calibration text.
    bits_w, bits_a : int
        What alpha is chosen for.
    """
    tensors = dict(model.tensors)
    first = [f"{layer}.{readers[0]}" for layer in _layers(model) for readers in READERS.values()]
    seen = model.activations(first, windows)
    for layer in _layers(model):
        for norm, readers in READERS.items():
            weights = [tensors[f"{layer}.{name}.weight"].T for name in readers]
            inputs = seen[f"{layer}.{readers[0]}"]
            scales = best_scales(weights, inputs, bits_w=bits_w, bits_a=bits_a)
            tensors[f"{layer}.{norm}.weight"] = tensors[f"{layer}.{norm}.weight"] / scales
            for name in readers:
                tensors[f"{layer}.{name}.weight"] = tensors[f"{layer}.{name}.weight"] * scales
    return replace(model, tensors=tensors)


def _residual_turned(model: LanguageModel, turn: npt.NDArray[np.float64]) -> LanguageModel:
    """Return the model with gains in the weights and the residual stream times a rotation."""
    model = with_gains_in_weights(model)
    tensors = dict(model.tensors)
    for name in (EMBEDDING, HEAD):
        tensors[name] = _product(tensors[name], turn)
    for layer in _layers(model):
        for name in (*READERS["input_layernorm"], *READERS["post_attention_layernorm"]):
            tensors[f"{layer}.{name}.weight"] = _product(tensors[f"{layer}.{name}.weight"], turn)
        for name in ("self_attn.o_proj", "mlp.down_proj"):
            _turn_outputs(tensors, f"{layer}.{name}", turn)
    return replace(model, tensors=tensors)


def _turn_outputs(tensors: dict[str, Array], name: str, turn: npt.NDArray[np.floating]) -> None:
    """Turn what a linear layer gives, its bias too if it has one."""
    tensors[f"{name}.weight"] = _product(turn.T, tensors[f"{name}.weight"])
    if f"{name}.bias" in tensors:
        tensors[f"{name}.bias"] = _product(tensors[f"{name}.bias"], turn)


def _layers(model: LanguageModel) -> list[str]:
    return [f"model.layers.{i}" for i in range(model.config.layers)]


def _product(*factors: npt.NDArray[np.floating]) -> Array:
    """Return the matrix product, in float64 until its end."""
    product = factors[0].astype(np.float64)
    for factor in factors[1:]:
        product = product @ factor
    return product.astype(np.float32)
