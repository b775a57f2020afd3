"""Orthogonal Hadamard matrices: rotations that spread an outlier over all channels."""

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError

Floats = npt.NDArray[np.float64]

# Sizes q + 1 of Paley's construction for prime q = 3 mod 4; Sylvester's doubles them.
PALEY_PRIMES = (11, 19)


def hadamard(size: int) -> Floats:
    """Return an orthogonal matrix of ``±1 / sqrt(size)``.

    Parameters
    ----------
    size : int
        A power of two, or 12 or 20 times one.

    Returns
    -------
    (size, size) float64

    Raises
    ------
    InputError
        If none of that size can be made here.
    """
    for core in (np.ones((1, 1)), *(_paley(q) for q in PALEY_PRIMES)):
        factor, rest = divmod(size, len(core))
        if factor >= 1 and rest == 0 and factor & (factor - 1) == 0:
            matrix = core
            while len(matrix) < size:
                matrix = np.kron(np.array([[1, 1], [1, -1]]), matrix)
            return matrix / np.sqrt(size)
    raise InputError(f"no Hadamard matrix of size {size}: it must be 1, 12 or 20 times 2**n")


def random_hadamard(size: int, seed: int) -> Floats:
    """Return a Hadamard matrix with the signs of its rows drawn at random."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size)
    return signs[:, None] * hadamard(size)


def _paley(q: int) -> Floats:
    """Return Paley's Hadamard matrix of size q + 1, not normalised."""
    squares = {i * i % q for i in range(1, q)}
    residue = np.array([0] + [1 if i in squares else -1 for i in range(1, q)])
    skew = np.zeros((q + 1, q + 1))
    skew[0, 1:], skew[1:, 0] = 1, -1
    skew[1:, 1:] = residue[(np.arange(q)[None, :] - np.arange(q)[:, None]) % q]
    return skew + np.eye(q + 1)
