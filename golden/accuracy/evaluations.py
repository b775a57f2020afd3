"""What is measured of each model, by the model's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from golden.accuracy import lm_eval, minilm_eval
from golden.accuracy.options import EvalOptions, Progress


@dataclass(frozen=True)
class Evaluation:
    """How a quantised model is measured.

    Parameters
    ----------
    title : str
        What tables call it.
    metric : str
        The figure to compare by; smaller is better.
    evaluate : callable
        Takes :class:`EvalOptions` and a progress callback; returns figures by name.
    """

    title: str
    metric: str
    evaluate: Callable[[EvalOptions, Progress], dict[str, float]]


EVALUATIONS: Mapping[str, Evaluation] = {
    "minilm": Evaluation(
        "MiniLM, error = 1 - mean cosine to FP32's sentence vectors", "error", minilm_eval.evaluate
    ),
    "lm": Evaluation("Language model: perplexity on held-out text", "perplexity", lm_eval.evaluate),
}
