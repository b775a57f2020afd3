"""MiniLM with all its linear layers quantised, against MiniLM in FP32."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from golden.accuracy.options import EvalOptions, Progress
from golden.models.minilm import MiniLM, linear_layers, pool
from golden.models.text import calibration_texts, tuning_texts, unseen_texts
from golden.quantise.methods.layer import Array, Linear

# Takes weights (K, N), bias (N,) and calibration tokens (T, K).
Make = Callable[[Array, Array, Array], Linear]
NEAREST = (1, 5, 10)
Report = Callable[[str], object]


@dataclass(frozen=True)
class Agreement:
    """How near quantised sentence vectors are to FP32's.

    Parameters
    ----------
    error : float
        1 - mean cosine.
    worst : float
        1 - least cosine of a text.
    """

    error: float
    worst: float


def quantise(
    model: MiniLM,
    make: Make,
    texts: Sequence[str],
    report: Report = lambda name: None,
    part: str = "",
) -> dict[str, Linear]:
    """Return all linear layers, quantised in the order in which they run.

    Each is calibrated on what the quantised layers before it give.

    Parameters
    ----------
    model : MiniLM
    make : callable
        Quantises a layer.
    texts : sequence of str
        To calibrate on.
    report : callable, optional
        Told the name of each layer when it is done.
    part : str
        Layers without this in their name stay as they are.
    """
    layers: dict[str, Linear] = {}

    def linear(name: str, x: Array) -> Array:
        kept = partial(model.linear, name)
        layers[name] = make(*model.weights(name), x) if part in name else kept
        report(name)
        return layers[name](x)

    model.hidden([model.tokens(text) for text in texts], linear)
    return layers


def embed(
    model: MiniLM,
    layers: Mapping[str, Linear],
    texts: Sequence[str],
    report: Report = lambda name: None,
) -> Array:
    """Return a unit vector (384,) per text as the quantised layers make it."""

    def linear(name: str, x: Array) -> Array:
        report(name)
        return layers[name](x)

    return pool(model.hidden([model.tokens(text) for text in texts], linear))


def agreement(vectors: Array, exact: Array) -> Agreement:
    """Return how near unit vectors (T, 384) are to those of FP32."""
    lost = 1 - (vectors * exact).sum(axis=1, dtype=np.float64)
    return Agreement(float(lost.mean()), float(lost.max()))


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


def evaluate(options: EvalOptions, progress: Progress) -> dict[str, float]:
    """Quantise MiniLM on some texts and measure it on others.

    Returns
    -------
    dict
        ``error`` (1 - mean cosine to FP32's sentence vectors), ``worst_text`` (1 - least cosine),
        ``nearest_1``, ``nearest_5``, ``nearest_10`` (agreement on the nearest others).
    """
    model, done = MiniLM(), iter(range(1, 2 * len(linear_layers()) + 1))

    def report(name: str) -> None:
        del name
        progress(next(done), 2 * len(linear_layers()))

    prepare = partial(
        options.prepare(), bits_w=options.bits_w, bits_a=options.bits_a, seed=options.seed
    )
    calibration = calibration_texts(options.seed, options.calibration)
    layers = quantise(model, prepare, calibration, report, options.layers)
    texts = (tuning_texts if options.tuning else unseen_texts)(options.seed, options.texts)
    vectors, exact = embed(model, layers, texts, report), model.embed(texts)
    found = agreement(vectors, exact)
    near = {f"nearest_{n}": retrieval(vectors, exact, n) for n in NEAREST if n < len(texts)}
    return {"error": found.error, "worst_text": found.worst, **near}
