"""Perplexity of the language model, whole and quantised."""

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.models.lm.config import linear_layers
from golden.models.lm.corpus import documents
from golden.models.lm.equivalents import rotated, smoothed, turned
from golden.models.lm.model import Array, LanguageModel, Linear
from golden.models.lm.outlier_shares import outlier_share
from golden.models.lm.tokens import Tokens, encode, load_tokenizer, windows
from golden.quantise.methods.kllm import prepare_kllm
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.quarot import prepare_rotated
from golden.quantise.methods.rtn import prepare_rtn
from golden.quantise.methods.table import require_method

Losses = npt.NDArray[np.float64]
Track = Callable[[Iterable[Tokens]], Iterable[Tokens]]
PrepareFor = Callable[[str], Prepare]

BATCH = 8  # windows at a time
OWN = ("kllm", "kllm_plain")
MEAN_SHARE = 0.005  # outliers on each side, as the methods' default is


class Bits(TypedDict):
    """What every method is told."""

    bits_w: int
    bits_a: int
    seed: int


def calibration_windows(seed: int, count: int) -> Tokens:
    """Return ``count`` windows of training text, drawn at random.

    Raises
    ------
    InputError
        If there are fewer, or the seed is negative.
    """
    found = _all_windows(held_out=False)
    if seed < 0:
        raise InputError(f"the seed must be 0 or more, got {seed}")
    _require_count(count, len(found))
    return found[np.random.default_rng(seed).permutation(len(found))[:count]]


def held_out_windows(count: int | None = None) -> Tokens:
    """Return ``count`` evenly spaced windows of held-out text, all by default.

    Raises
    ------
    InputError
        If there are fewer.
    """
    found = _all_windows(held_out=True)
    count = len(found) if count is None else count
    _require_count(count, len(found))
    return found[np.arange(count) * len(found) // count]


@cache
def _all_windows(*, held_out: bool) -> Tokens:
    """Return all windows of one side; some seconds the first time."""
    return windows(encode(load_tokenizer(), documents(held_out=held_out)))


def losses(model: LanguageModel, text: Tokens, track: Track = iter) -> Losses:
    """Return each window's mean negative log-likelihood (W,) of its tokens after the first.

    Parameters
    ----------
    model : LanguageModel
    text : (W, T) int64
    track : callable, optional
        Wraps the batches of windows, to show progress.
    """
    found = []
    for part in track([text[at : at + BATCH] for at in range(0, len(text), BATCH)]):
        logits = model.logits(part)[:, :-1].astype(np.float64)
        logits -= logits.max(axis=2, keepdims=True)
        chosen = np.take_along_axis(logits, part[:, 1:, None], axis=2)[..., 0]
        found.append((np.log(np.exp(logits).sum(axis=2)) - chosen).mean(axis=1))
    return np.concatenate(found)


def perplexity(found: Losses) -> float:
    """Return the perplexity per token of windows with these mean losses."""
    return float(np.exp(found.mean()))


def form_for(
    model: LanguageModel, method: str, calibration: Tokens, *, bits_w: int, bits_a: int, seed: int
) -> tuple[LanguageModel, Prepare | None]:
    """Return the model as a method wants it before it rounds, and how that then makes layers.

    QuaRot and SmoothQuant change the whole model first, as published, and this project's method
    turns the residual stream; the others take the model as it is. Where layers are made as on
    their own, there is None in place of the second.
    """
    if method == "smoothquant":
        return smoothed(model, calibration, bits_w=bits_w, bits_a=bits_a), prepare_rtn
    if method in ("quarot", "quarot_rtn"):
        return rotated(model, seed), partial(prepare_rotated, feed_back=method == "quarot")
    if method in OWN:
        return turned(model, seed, calibration), None
    return model, None


def quantise(
    model: LanguageModel,
    method: str,
    calibration: Tokens,
    *,
    bits_w: int,
    bits_a: int,
    seed: int = 0,
    report: Callable[[str], object] = lambda name: None,
) -> LanguageModel:
    """Return the model with all linear layers quantised, in the form that suits the method.

    Parameters
    ----------
    model : LanguageModel
    method : str
        A name in :data:`golden.quantise.methods.table.METHODS`.
    calibration : (W, T) int64
        Calibration text.
    bits_w, bits_a : int
        Bits of a weight and of an activation.
    seed : int
        Of every random choice.
    report : callable, optional
        Told the name of each layer when it is done.

    Raises
    ------
    InputError
        If there is no such method, or the bits are out of its range.
    """
    alone = require_method(method).prepare
    bits: Bits = {"bits_w": bits_w, "bits_a": bits_a, "seed": seed}
    form, prepare = form_for(model, method, calibration, **bits)
    makers = partial(_prepare_for, prepare or alone, method)
    return quantise_with(form, makers, calibration, **bits, report=report)


def _prepare_for(prepare: Prepare, method: str, name: str) -> Prepare:
    """Return how a method makes the named layer: this project's gives each its outliers."""
    if method not in OWN:
        return prepare
    share = outlier_share(name, MEAN_SHARE)
    return partial(prepare_kllm, symmetric=method == "kllm", outlier_share=share)


def quantise_with(
    model: LanguageModel,
    makers: PrepareFor,
    calibration: Tokens,
    *,
    bits_w: int,
    bits_a: int,
    seed: int = 0,
    report: Callable[[str], object] = lambda name: None,
) -> LanguageModel:
    """Return the model with all linear layers quantised; embedding and output head stay.

    Layers are made in the order in which they run, each calibrated on what the quantised layers
    before it give, as in GPTQ. Parameters are those of :func:`quantise`; ``makers`` returns what
    makes the layer of a name.
    """
    made: dict[str, Linear] = {}

    def make(name: str, inputs: Array) -> Array:
        weight, bias = model.weights(name)
        made[name] = makers(name)(weight, bias, inputs, bits_w=bits_w, bits_a=bits_a, seed=seed)
        report(name)
        return made[name](inputs)

    stand_ins = {name: partial(make, name) for name in linear_layers(model.config)}
    model.with_linears(stand_ins).hidden(calibration, {})
    return model.with_linears(made)


def _require_count(count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise InputError(f"the number of windows must be from 1 to {most}, got {count}")
