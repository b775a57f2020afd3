"""MiniLM with all its linear layers quantised, against MiniLM in FP32."""

from dataclasses import replace
from functools import partial

import numpy as np

from golden.accuracy.made import Made
from golden.accuracy.on_indices import FUNCTION_BITS, Fitted, OnIndices, Watch, function_bits
from golden.accuracy.options import EvalOptions, Figures, Progress
from golden.models.minilm import MiniLM, pool
from golden.models.model import quantise
from golden.models.text import calibration_texts, evaluation_texts
from golden.quantise.methods.layer import Array

NEAREST = (1, 5, 10)
_MADE: Made[MiniLM] = Made()
_FITTED: Made[Fitted] = Made()


def agreement(vectors: Array, exact: Array) -> Figures:
    """Return how far unit vectors (T, 384) are from those of FP32, as :func:`evaluate` does."""
    lost = 1 - (vectors * exact).sum(axis=1, dtype=np.float64)
    error, spread = _mean(lost)
    return {
        "error": error,
        "standard_error": spread,
        "worst_text": float(lost.max()),
        "losses": lost.tolist(),
    }


def difference(run: Figures, other: Figures) -> tuple[float, float]:
    """Return how much larger a run's error is than another's on the same texts, and its error."""
    return _mean(np.array(run["losses"]) - np.array(other["losses"]))


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Return the mean and its standard error, infinite for one value."""
    spread = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return float(values.mean()), float(spread)


def retrieval(vectors: Array, exact: Array, nearest: int) -> float:
    """Return which share of each text's ``nearest`` others is the same as in FP32, in the mean.

    Parameters
    ----------
    vectors, exact : (T, 384) float32
        Unit vectors, T more than ``nearest``.
    nearest : int
    """
    found, wanted = (_neighbours(v, nearest) for v in (vectors, exact))
    shared = [len(set(a) & set(b)) for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]
    return float(np.mean(shared)) / nearest


def _neighbours(vectors: Array, count: int) -> np.ndarray:
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :count]


def evaluate(options: EvalOptions, progress: Progress) -> Figures:
    """Quantise MiniLM on some texts and measure it on others.

    Returns
    -------
    dict
        ``error`` (1 - mean cosine to FP32's sentence vectors), ``standard_error`` (its own),
        ``worst_text`` (1 - least cosine), ``losses`` (1 - cosine of each text), ``nearest_1``,
        ``nearest_5``, ``nearest_10`` (agreement on the nearest others).
    """
    model = MiniLM()
    parts = sum(options.layers in name for name in model.layer_names) + 1  # the last: measured
    done = iter(range(1, parts + 1))
    calibration = calibration_texts(options.seed, options.calibration)

    def make() -> MiniLM:
        prepare = partial(
            options.prepare(), bits_w=options.bits_w, bits_a=options.bits_a, seed=options.seed
        )
        return quantise(
            model,
            lambda name: prepare if options.layers in name else None,
            calibration,
            lambda name: progress(next(done), parts),
        )

    quantised = _MADE.get(replace(options, on_indices=(), texts=1), make)
    if options.on_indices:

        def fit() -> Fitted:
            watch = Watch(function_bits(options.on_indices))
            quantised.with_operations(watch).run(calibration)
            return watch.fitted()

        functions = tuple(name for name in options.on_indices if name in FUNCTION_BITS)
        fitted = _FITTED.get(replace(options, on_indices=functions, texts=1), fit)
        quantised = quantised.with_operations(OnIndices(options.on_indices, fitted))
    texts = evaluation_texts(options.seed, options.texts, tuning=options.tuning)
    vectors, exact = pool(quantised.run(texts)), model.embed(texts)
    progress(next(done), parts)
    near = {f"nearest_{n}": retrieval(vectors, exact, n) for n in NEAREST if n < len(texts)}
    return agreement(vectors, exact) | near
