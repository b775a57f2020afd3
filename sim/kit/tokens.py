"""Tokens as the engine's inner streams carry them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from golden.exact.outliers import repeated, select_outliers
from golden.exact.spec import IntArray
from hw.engine_spec import EngineSpec


def split(spec: EngineSpec, token: np.ndarray) -> Iterator[tuple[list[int], int]]:
    """Yield the numbers of each beat of a token, and whether it is the last."""
    lanes = spec.inputs_per_beat
    for start in range(0, len(token), lanes):
        yield token[start : start + lanes].tolist(), int(start + lanes >= len(token))


def outliers_of(keys: IntArray, k_top: int) -> list[dict[str, int]]:
    """Return a token's outliers as ``spec.outlier``, in their order."""
    positions = select_outliers(keys[None], k_top)
    return [
        {"key": int(keys[position]), "position": int(position), "repeated": int(again)}
        for position, again in zip(positions[0], repeated(positions)[0], strict=True)
    ]


def joined(lanes: list[int], bits: int) -> int:
    """Return the word that has these lanes, lane 0 lowest."""
    return sum(value << (n * bits) for n, value in enumerate(lanes))


def shape_of(layer: Any) -> dict[str, int]:
    """Return the size of a :class:`golden.exact.linear.QuantizedLinear` as ``spec.shape``."""
    centroids = len(layer.a_centroids)
    return {
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        "k_top": layer.k_top,
        "last_centroid": (centroids // 2 if layer.spec.symmetric else centroids) - 1,
        "digits": layer.spec.residual_digits(layer.inputs),
    }
