"""The language model with all its linear layers quantised: perplexity on held-out text."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

import numpy as np

from golden.accuracy.made import Made
from golden.accuracy.on_indices import Fitted, OnIndices, Watch
from golden.accuracy.options import OWN, PAPER, EvalOptions, Figures, Progress
from golden.models.lm.config import linear_layers
from golden.models.lm.corpus import calibration_windows, held_out_windows
from golden.models.lm.equivalents import rotated, smoothed, turned
from golden.models.lm.kv_cache import published_cache
from golden.models.lm.model import LanguageModel
from golden.models.lm.outlier_shares import outlier_share
from golden.models.lm.perplexity import BATCH, Losses, losses, paired_error, perplexity
from golden.models.lm.tokens import Tokens
from golden.models.model import Make, Report, quantise
from golden.quantise.methods.layer import Prepare
from golden.quantise.methods.quarot import prepare_rotated
from golden.quantise.methods.rtn import prepare_rtn
from golden.quantise.methods.table import QUAROT
from golden.quantise.recipes.table import DEFAULT

WATCHED = 16  # windows that operations on indices are fitted to
# Recipes for which the residual stream is turned; grids get what codebooks get.
TURNED = (DEFAULT, "uniform")


def evaluate(options: EvalOptions, progress: Progress) -> Figures:
    """Quantise the language model on windows of training text and measure held-out ones.

    Each seed draws its own of both.

    Returns
    -------
    dict
        ``increase`` (of the perplexity, over the whole model's on the same windows),
        ``standard_error`` (of the increase, see
        :func:`golden.models.lm.perplexity.paired_error`), ``perplexity``, ``fp32`` (the whole
        model's), and ``losses``, the mean loss of each window.
    """
    text = _measured(options)
    work = len(linear_layers()) + -(-len(text) // BATCH)
    done = iter(range(1, work + 1))
    same = replace(options, on_indices=(), texts=1)
    quantised = _quantised(same, lambda name: progress(next(done), work))
    if options.on_indices:
        fitted = _fitted(quantised, calibration_windows(options.seed, WATCHED))
        quantised = on_indices(quantised, options.on_indices, fitted)

    def track(parts: Iterable[Tokens]) -> Iterator[Tokens]:
        for part in parts:
            yield part
            progress(next(done), work)

    found, whole = (
        losses(quantised, text, track),
        _whole(
            EvalOptions(
                seed=options.seed,
                texts=options.texts,
                calibration=options.calibration,
                tuning=options.tuning,
            )
        ),
    )
    return {
        "increase": perplexity(found) - perplexity(whole),
        "standard_error": paired_error(found, whole),
        "perplexity": perplexity(found),
        "fp32": perplexity(whole),
        "losses": found.tolist(),
    }


_MADE: Made[LanguageModel] = Made()


def _quantised(options: EvalOptions, report: Report) -> LanguageModel:
    """Return the quantised model; the last ones are kept, for runs with other operations."""

    def make() -> LanguageModel:
        calibration = calibration_windows(options.seed, options.calibration)
        return quantised_model(LanguageModel.load(), options, calibration, report)

    return _MADE.get(options, make)


def _fitted(model: LanguageModel, windows: Tokens) -> Fitted:
    """Return what windows of text say of operations on indices."""
    watch = Watch()
    replace(model, operations=watch).run(windows)
    return watch.fitted()


def on_indices(model: LanguageModel, names: Collection[str], fitted: Fitted) -> LanguageModel:
    """Return the model with the named operations on indices."""
    epsilon = model.config.norm_epsilon
    return replace(model, operations=OnIndices(names, fitted, model.linears, epsilon))


def difference(run: Figures, other: Figures) -> tuple[float, float]:
    """Return how much larger a run's perplexity is than another's, and the standard error.

    Both are runs of the same windows.
    """
    ours, others = np.array(run["losses"]), np.array(other["losses"])
    return perplexity(ours) - perplexity(others), paired_error(ours, others)


def quantised_model(
    model: LanguageModel,
    options: EvalOptions,
    calibration: Tokens,
    report: Report = lambda name: None,
) -> LanguageModel:
    """Return the model with all linear layers quantised; embedding and output head stay.

    So do keys and values, unless they are to be kept as the method's paper does: then layers are
    calibrated with them so.

    QuaRot and SmoothQuant change the whole model first, as published. ``kllm`` with the default
    recipe, or with uniform grids refined alike, turns the residual stream (see
    :func:`golden.models.lm.equivalents.turned`), and then
    ``outlier_share`` is the mean over all lookups (see :mod:`golden.models.lm.outlier_shares`).
    """
    form, prepare = _form(model, options, calibration)
    if options.kv == PAPER:
        form = replace(form, cache=published_cache(options.method))
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
    if method in QUAROT:
        return rotated(model, options.seed), partial(prepare_rotated, **QUAROT[method])
    if method == OWN and options.recipe in TURNED:
        return turned(model, options.seed, calibration), None
    if method == "kllm_plain":
        return turned(model, options.seed, calibration), options.prepare()
    return model, options.prepare()


def _own(options: EvalOptions, name: str) -> Prepare:
    """Return this project's way to make the named layer, with the layer's share of outliers."""
    return replace(options, outlier_share=outlier_share(name, options.outlier_share)).prepare()


def _measured(options: EvalOptions) -> Tokens:
    """Return the windows to measure on."""
    if not options.tuning:
        return held_out_windows(options.seed, options.texts)
    # What is chosen is chosen on training text; these windows are not those that calibrate.
    drawn = calibration_windows(options.seed, options.calibration + options.texts)
    return drawn[options.calibration :]


@cache
def _whole(options: EvalOptions) -> Losses:
    """Return the losses in full precision; runs that differ in nothing else share them."""
    return losses(LanguageModel.load(), _measured(options))
