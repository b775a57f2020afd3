"""Perplexity of the language model, whole or quantised."""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from golden.models.lm.tokens import Tokens

Losses = npt.NDArray[np.float64]
Track = Callable[[Iterable[Tokens]], Iterable[Tokens]]

BATCH = 8  # windows at a time


class Expects(Protocol):
    """What says what it expects after each token."""

    def logits(self, windows: Tokens, /) -> npt.NDArray[np.float32]:
        """Return logits (B, T, vocabulary) of windows (B, T)."""
        ...


def losses(model: Expects, text: Tokens, track: Track = iter) -> Losses:
    """Return each window's mean negative log-likelihood (W,) of its tokens after the first.

    Parameters
    ----------
    model : Expects
        A language model, in whatever numbers.
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


def paired_error(found: Losses, whole: Losses) -> float:
    """Return the standard error of the difference of two perplexities of the same windows.

    Windows are easy or hard for both: what stays is how much more some lose than others. A window
    moves the difference by its losses times the slopes of both exponentials; infinite for one.

    Parameters
    ----------
    found, whole : (W,) float64
        Mean losses of each window.
    """
    if len(found) < 2:
        return float("inf")
    moved = perplexity(found) * found - perplexity(whole) * whole
    return float(moved.std(ddof=1) / np.sqrt(len(moved)))
