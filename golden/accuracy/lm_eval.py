"""The language model with all its linear layers quantised: perplexity on held-out text."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

from golden.accuracy.options import OWN, EvalOptions, Progress
from golden.models.lm.config import linear_layers
from golden.models.lm.evaluate import (
    BATCH,
    Bits,
    calibration_windows,
    form_for,
    held_out_windows,
    losses,
    perplexity,
    quantise_with,
)
from golden.models.lm.model import LanguageModel
from golden.models.lm.outlier_shares import outlier_share
from golden.models.lm.tokens import Tokens
from golden.quantise.methods.layer import Prepare
from golden.quantise.recipes.table import DEFAULT


def evaluate(options: EvalOptions, progress: Progress) -> dict[str, float]:
    """Quantise the language model on windows of training text and measure held-out ones.

    The held-out windows are evenly spaced, the same for each seed. ``kllm`` with the default
    recipe turns the residual stream first (see :func:`golden.models.lm.equivalents.turned`), and
    then ``outlier_share`` is the mean over all lookups (see
    :mod:`golden.models.lm.outlier_shares`).

    Returns
    -------
    dict
        ``perplexity``, ``fp32`` (the whole model's) and ``increase`` (the difference).
    """
    text = held_out_windows(options.texts)
    calibration = calibration_windows(options.seed, options.calibration)
    model = LanguageModel.load()
    batches = -(-len(text) // BATCH)
    work = len(linear_layers()) + batches
    done = iter(range(1, work + 1))
    bits: Bits = {"bits_w": options.bits_w, "bits_a": options.bits_a, "seed": options.seed}
    form, prepare = model, None
    if options.method != OWN or options.recipe == DEFAULT:
        form, prepare = form_for(model, options.method, calibration, **bits)
    quantised = quantise_with(
        form,
        partial(_prepare_for, options, prepare or options.prepare()),
        calibration,
        **bits,
        report=lambda name: progress(next(done), work),
    )

    def track(parts: Iterable[Tokens]) -> Iterator[Tokens]:
        for part in parts:
            yield part
            progress(next(done), work)

    found, whole = perplexity(losses(quantised, text, track)), _whole(options.texts)
    return {"perplexity": found, "fp32": whole, "increase": found - whole}


def _prepare_for(options: EvalOptions, prepare: Prepare, name: str) -> Prepare:
    """Return what makes the named layer; the default recipe gives each its share of outliers."""
    if options.method != OWN or options.recipe != DEFAULT:
        return prepare
    return replace(options, outlier_share=outlier_share(name, options.outlier_share)).prepare()


@cache
def _whole(texts: int) -> float:
    """Return the perplexity in full precision; runs of several methods share it."""
    return perplexity(losses(LanguageModel.load(), held_out_windows(texts)))
