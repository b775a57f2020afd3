"""What is measured of each model, by the model's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from golden.accuracy import lm_eval, minilm_eval
from golden.accuracy.options import EvalOptions, Figures, Progress


@dataclass(frozen=True)
class Evaluation:
    """How a quantised model is measured.

    Parameters
    ----------
    title : str
        What tables call it.
    metric : str
        The figure to compare by; smaller is better. Beside it stands ``standard_error``, its own
        over texts or windows, each against full precision on the same.
    evaluate : callable
        Takes :class:`EvalOptions` and a progress callback; returns figures by name.
    places : int, optional
        Behind the point; by default as many as tell small figures apart.
    difference : callable, optional
        Takes the figures of two runs of the same texts; returns how much larger the metric of the
        first is, and the standard error of that.
    """

    title: str
    metric: str
    evaluate: Callable[[EvalOptions, Progress], Figures]
    places: int | None = None
    difference: Callable[[Figures, Figures], tuple[float, float]] | None = None


EVALUATIONS: Mapping[str, Evaluation] = {
    "minilm": Evaluation(
        "MiniLM, error = 1 - mean cosine to FP32's sentence vectors",
        "error",
        minilm_eval.evaluate,
        difference=minilm_eval.difference,
    ),
    "lm": Evaluation(
        "Language model, increase of the perplexity of held-out text over FP32's",
        "increase",
        lm_eval.evaluate,
        places=2,  # the next is not the same on another machine
        difference=lm_eval.difference,
    ),
}
