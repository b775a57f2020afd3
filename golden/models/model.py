"""What a model of language is, whatever it is for: linear layers, and text that runs through them.

Two are here: :class:`golden.models.minilm.MiniLM` and
:class:`golden.models.lm.model.LanguageModel`. Text is a list of sentences to the first, rows of
tokens to the second; ``Text`` stands for either.
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from golden.base.errors import InputError
from golden.base.names import require_name
from golden.quantise.methods.layer import Array, Linear

Text = TypeVar("Text")
# Takes weights (K, N), bias (N,) and calibration tokens (T, K).
Make = Callable[[Array, Array, Array], Linear]
Report = Callable[[str], object]


class Model(Protocol[Text]):
    """A model whose linear layers can be quantised."""

    @property
    def layer_names(self) -> list[str]:
        """Names of the linear layers, in the order in which they run."""
        ...

    @property
    def linears(self) -> Mapping[str, Linear]:
        """What stands in for linear layers."""
        ...

    def weights(self, name: str) -> tuple[Array, Array]:
        """Return a linear layer's weights (K, N) and bias (N,)."""
        ...

    def with_linears(self, linears: Mapping[str, Linear]) -> Self:
        """Return the model with the named linear layers replaced."""
        ...

    def activations(self, names: Collection[str], text: Text) -> dict[str, Array]:
        """Return the inputs (T, K) of the named linear layers, all tokens of the text in order."""
        ...

    def run(self, text: Text) -> Any:
        """Run a text through all layers, all of it through one before the next."""
        ...

    def calibration_text(self, seed: int, without: Text) -> Text:
        """Return text to fit codebooks on, about 2000 tokens, nothing of it in ``without``."""
        ...

    def text_to_run(
        self, seed: int, tokens: int, file: Path | None, *, tuning: bool = False
    ) -> Text:
        """Return text of at least so many tokens, from a file or from what is held out.

        Nothing was chosen on it, unless it is the text that is there for ``tuning``.

        Raises
        ------
        InputError
            If there are fewer, or the file is no text.
        """
        ...


def require_layers(kind: str, known: Collection[str], names: Collection[str]) -> None:
    """Raise InputError, with the near matches, unless all names are of linear layers."""
    for name in names:
        require_name("linear layer", name, known, owner=kind)


def quantise(
    model: Model[Text],
    make_for: Callable[[str], Make | None],
    text: Text,
    report: Report = lambda name: None,
) -> Any:
    """Return the model with its linear layers quantised, in the order in which they run.

    Each is calibrated on what the quantised layers before it give, as in GPTQ.

    Parameters
    ----------
    model : Model
    make_for : callable
        Returns what makes the layer of a name; None leaves it as it is.
    text : Text
        To calibrate on.
    report : callable, optional
        Told the name of each layer when it is done.

    Raises
    ------
    InputError
        If a layer cannot be made, or gives what is no number; the text begins with its name.
    """
    made: dict[str, Linear] = {}

    def stand_in(name: str, make: Make) -> Linear:
        def linear(x: Array) -> Array:
            try:
                made[name] = make(*model.weights(name), x)
            except InputError as error:
                raise InputError(f"{name}: {error}") from error
            found = made[name](x)
            if not np.isfinite(found).all():
                raise InputError(f"{name}: outputs on the calibration text are not finite numbers")
            report(name)
            return found

        return linear

    makers = {name: make for name in model.layer_names if (make := make_for(name))}
    model.with_linears({name: stand_in(name, make) for name, make in makers.items()}).run(text)
    return model.with_linears(made)
