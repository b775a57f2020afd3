"""What every method makes of a linear layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]


class Linear(Protocol):
    """A linear layer that can be run."""

    def __call__(self, x: Array, /) -> Array:
        """Return the outputs (T, N) of the tokens (T, K)."""
        ...


class Prepare(Protocol):
    """A method: what it does offline, once, to a layer."""

    def __call__(
        self, weight: Array, bias: Array, calibration: Array, *, bits_w: int, bits_a: int, seed: int
    ) -> Linear:
        """Return the quantised layer.

        Parameters
        ----------
        weight : (K, N) float32
        bias : (N,) float32
        calibration : (T, K) float32
            Typical inputs.
        bits_w, bits_a : int
            Bits of a weight, of an activation.
        seed : int
            Of every random choice.
        """
        ...


@dataclass(frozen=True)
class FakeQuantized:
    """Quantised values multiplied as real numbers: exact up to float32, as integers would be.

    Parameters
    ----------
    weight : (N, K) float32
        On its grid, inputs in the order or basis that ``activation`` gives.
    bias : (N,) float32
    activation : callable
        Tokens (T, K) to what the layer reads of them: turned, reordered, on their grid.
    """

    weight: Array
    bias: Array
    activation: Callable[[Array], npt.NDArray[np.floating]]

    def __call__(self, x: Array) -> Array:
        """Return the outputs (T, N) of the tokens (T, K)."""
        return self.activation(x).astype(np.float32) @ self.weight.T + self.bias
