"""Keys and values as attention reads them back: as they are, or as published methods keep them.

Both papers keep them in 4 bits on asymmetric grids, one for each token and head. Atom's code rounds
keys before their rotary positions, over their whole range. QuaRot's turns queries and keys by a
Hadamard matrix behind the positions and clips at 0.95, as the paper says; its values are turned by
their layer's weights already (:func:`golden.models.lm.equivalents.rotated`).
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from golden.base.errors import InputError
from golden.quantise.methods.grid import quantize_rows
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.layer import Array

BITS = 4
QUAROT_CLIP = 0.95


class Cache(Protocol):
    """What becomes of queries, keys and values before attention."""

    def __call__(
        self, query: Array, key: Array, value: Array, turn: Callable[[Array], Array], /
    ) -> tuple[Array, Array, Array]:
        """Return all three as attention takes them.

        Parameters
        ----------
        query, key, value : (B, H, T, d) float32
        turn : callable
            Gives queries or keys their rotary positions.
        """
        ...


def exact(
    query: Array, key: Array, value: Array, turn: Callable[[Array], Array]
) -> tuple[Array, Array, Array]:
    """Keep keys and values as they are."""
    return turn(query), turn(key), value


def atom(
    query: Array, key: Array, value: Array, turn: Callable[[Array], Array]
) -> tuple[Array, Array, Array]:
    """Keep keys and values as Atom does."""
    return turn(query), turn(_rounded(key)), _rounded(value)


def quarot(
    query: Array, key: Array, value: Array, turn: Callable[[Array], Array]
) -> tuple[Array, Array, Array]:
    """Keep keys and values as QuaRot does; groups are as wide as a head.

    In the published code the grid of a key reaches to zero at least, that of a value need not.
    """
    matrix = hadamard(key.shape[-1]).astype(np.float32)
    kept = _rounded(turn(key) @ matrix, clip=QUAROT_CLIP, with_zero=True)
    return turn(query) @ matrix, kept, _rounded(value, clip=QUAROT_CLIP)


# By the names of methods, up to their first underscore.
CACHES: Mapping[str, Cache] = {"atom": atom, "quarot": quarot}


def published_cache(method: str) -> Cache:
    """Return how a method's paper keeps keys and values.

    Raises
    ------
    InputError
        If its paper says nothing of them.
    """
    found = CACHES.get(method.split("_")[0])
    if not found:
        raise InputError(
            f"the paper of {method} keeps keys and values in full precision: --kv paper is for"
            f" {' and '.join(CACHES)} and their variants"
        )
    return found


def _rounded(heads: Array, *, clip: float = 1.0, with_zero: bool = False) -> Array:
    rows = heads.reshape(-1, heads.shape[-1])
    group = None if with_zero else rows.shape[1]
    kept = quantize_rows(rows, BITS, clip=clip, group=group, asymmetric=True)
    return kept.reshape(heads.shape).astype(np.float32)
