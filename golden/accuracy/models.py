"""The models that can be evaluated, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from golden.accuracy import lm_eval, minilm_eval
from golden.accuracy.options import EvalOptions, Progress
from golden.base.errors import InputError
from golden.base.tensor_file import near


@dataclass(frozen=True)
class Model:
    """A model to quantise and to measure.

    Parameters
    ----------
    title : str
        What tables call it, and what is measured.
    metric : str
        The figure to compare by; smaller is better.
    evaluate : callable
        Takes :class:`EvalOptions` and a progress callback; returns figures by name.
    """

    title: str
    metric: str
    evaluate: Callable[[EvalOptions, Progress], dict[str, float]]


MODELS: Mapping[str, Model] = {
    "minilm": Model(
        "MiniLM, error = 1 - mean cosine to FP32's sentence vectors", "error", minilm_eval.evaluate
    ),
    "lm": Model(
        "Language model: perplexity on held-out text",
        "perplexity",
        lm_eval.evaluate,
    ),
}


def require_model(name: str) -> Model:
    """Return a model; raise InputError, with the near matches, if there is none of that name."""
    if name not in MODELS:
        raise InputError(f"there is no model {name!r}{near(name, MODELS)}")
    return MODELS[name]
