"""The language model with all its linear layers quantised: perplexity on held-out text."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

from golden.accuracy.options import OWN, EvalOptions, Progress
from golden.models.lm.config import linear_layers
from golden.models.lm.corpus import calibration_windows, held_out_windows
from golden.models.lm.equivalents import rotated, smoothed, turned
from golden.models.lm.model import LanguageModel
from golden.models.lm.outlier_shares import outlier_share
from golden.models.lm.perplexity import BATCH, losses, perplexity
from golden.models.lm.tokens import Tokens
from golden.models.model import Make, Report, quantise
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.quarot import prepare_rotated
from golden.quantise.methods.rtn import prepare_rtn
from golden.quantise.recipes.table import DEFAULT


def evaluate(options: EvalOptions, progress: Progress) -> dict[str, float]:
    """Quantise the language model on windows of training text and measure held-out ones.

    The held-out windows are evenly spaced, the same for each seed.

    Returns
    -------
    dict
        ``perplexity``, ``fp32`` (the whole model's) and ``increase`` (the difference).
    """
    text = held_out_windows(options.texts)
    calibration = calibration_windows(options.seed, options.calibration)
    work = len(linear_layers()) + -(-len(text) // BATCH)
    done = iter(range(1, work + 1))
    quantised = quantised_model(
        LanguageModel.load(), options, calibration, lambda name: progress(next(done), work)
    )

    def track(parts: Iterable[Tokens]) -> Iterator[Tokens]:
        for part in parts:
            yield part
            progress(next(done), work)

    found, whole = perplexity(losses(quantised, text, track)), _whole(options.texts)
    return {"perplexity": found, "fp32": whole, "increase": found - whole}


def quantised_model(
    model: LanguageModel,
    options: EvalOptions,
    calibration: Tokens,
    report: Report = lambda name: None,
) -> LanguageModel:
    """Return the model with all linear layers quantised; embedding and output head stay.

    QuaRot and SmoothQuant change the whole model first, as published. ``kllm`` with the default
    recipe turns the residual stream (see :func:`golden.models.lm.equivalents.turned`), and then
    ``outlier_share`` is the mean over all lookups (see :mod:`golden.models.lm.outlier_shares`).
    """
    form, prepare = _form(model, options, calibration)
    bits = {"bits_w": options.bits_w, "bits_a": options.bits_a, "seed": options.seed}

    def make_for(name: str) -> Make:
        return partial(prepare or _own(options, name), **bits)

    return quantise(form, make_for, calibration, report)


def _form(
    model: LanguageModel, options: EvalOptions, calibration: Tokens
) -> tuple[LanguageModel, Prepare | None]:
    """Return the model as a method wants it before it rounds, and what then makes each layer.

    There is None in place of the second where layers are made in several ways.
    """
    method = options.method
    if method == "smoothquant":
        smooth = smoothed(model, calibration, bits_w=options.bits_w, bits_a=options.bits_a)
        return smooth, prepare_rtn
    if method in ("quarot", "quarot_rtn"):
        feed_back = method == "quarot"
        return rotated(model, options.seed), partial(prepare_rotated, feed_back=feed_back)
    if method == OWN and options.recipe == DEFAULT:
        return turned(model, options.seed, calibration), None
    if method == "kllm_plain":
        return turned(model, options.seed, calibration), options.prepare()
    return model, options.prepare()


def _own(options: EvalOptions, name: str) -> Prepare:
    """Return this project's way to make the named layer, with the layer's share of outliers."""
    return replace(options, outlier_share=outlier_share(name, options.outlier_share)).prepare()


@cache
def _whole(texts: int) -> float:
    """Return the perplexity in full precision; runs of several methods share it."""
    return perplexity(losses(LanguageModel.load(), held_out_windows(texts)))
