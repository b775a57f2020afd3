"""The models by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from golden.base.names import lookup
from golden.models.lm import config
from golden.models.lm.model import LanguageModel
from golden.models.minilm import MiniLM, linear_layers
from golden.models.model import Model


@dataclass(frozen=True)
class Known:
    """A model that can be read.

    Parameters
    ----------
    layer_names : callable
        Returns the names of its linear layers, in the order in which they run.
    load : callable
        Reads it.
    """

    layer_names: Callable[[], list[str]]
    load: Callable[[], Model[Any]]


MODELS: Mapping[str, Known] = {
    "minilm": Known(linear_layers, MiniLM),
    "lm": Known(config.linear_layers, LanguageModel.load),
}


def require_model(name: str) -> Known:
    """Return a model; raise InputError, with the near matches, if there is none of that name."""
    return lookup("model", name, MODELS)
