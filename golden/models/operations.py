"""What models compute between their linear layers, for others to take the place of."""

from typing import Protocol

import numpy as np

from golden.quantise.methods.layer import Array


class Operations(Protocol):
    """Heads, softmax, activation functions and norms, each told the name of its place."""

    def heads(
        self, name: str, query: Array, key: Array, value: Array
    ) -> tuple[Array, Array, Array]:
        """Return queries, keys and values (H, T, d) as attention without a mask takes them."""
        ...

    def softmax(self, name: str, scores: Array) -> Array:
        """Return probabilities (..., T, S) of scores; masked ones are -infinity."""
        ...

    def activation(self, name: str, x: Array, exact: Array, times: Array | None = None) -> Array:
        """Return the activation function of x, which is ``exact`` in full precision.

        ``times`` is what multiplies it, if something does.
        """
        ...

    def root(self, name: str, x: Array, exact: Array) -> Array:
        """Return the root mean squares (T, 1) of x (T, K), which are ``exact``."""
        ...


def exact_softmax(scores: Array) -> Array:
    """Return probabilities (..., T, S) of scores."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class Exact:
    """All of them in full precision."""

    def heads(
        self, name: str, query: Array, key: Array, value: Array
    ) -> tuple[Array, Array, Array]:
        """Return them as they are."""
        del name
        return query, key, value

    def softmax(self, name: str, scores: Array) -> Array:
        """Return probabilities."""
        del name
        return exact_softmax(scores)

    def activation(self, name: str, x: Array, exact: Array, times: Array | None = None) -> Array:
        """Return what is exact."""
        del name, x, times
        return exact

    def root(self, name: str, x: Array, exact: Array) -> Array:
        """Return what is exact."""
        del name, x
        return exact


EXACT = Exact()
