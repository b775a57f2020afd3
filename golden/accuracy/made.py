"""Quantised models that were made last: runs with other operations share them."""

from collections.abc import Callable
from typing import Generic, TypeVar

from golden.accuracy.options import EvalOptions

MOST = 3  # as many as there are seeds, mostly
Model = TypeVar("Model")


class Made(Generic[Model]):
    """The last models that were made, by their options."""

    def __init__(self) -> None:
        self.models: dict[EvalOptions, Model] = {}

    def get(self, options: EvalOptions, make: Callable[[], Model]) -> Model:
        """Return the model of these options; make it if it is not there."""
        if options not in self.models:
            while len(self.models) >= MOST:
                del self.models[next(iter(self.models))]
            self.models[options] = make()
        return self.models[options]
