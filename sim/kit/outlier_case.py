"""Outliers of a token in a layer, for the blocks that work on what their centroids leave."""

from typing import Any

from golden.exact.clustering import cluster, thresholds
from golden.exact.fp16 import key
from golden.exact.residual import reciprocal
from golden.exact.token_scale import Scale
from sim.kit.codebooks import near_scale, random_centroids, scale_word, stored, threshold_words
from sim.kit.testbed import Testbed


class OutlierCase:
    """Random outliers and codebooks.

    Parameters
    ----------
    bed : Testbed
        The bench.
    scale : Scale
        The token's.
    count : int
        How many outliers.

    Attributes
    ----------
    x, position, again : (count,) arrays
        FP16 patterns, input channels, and whether an outlier came before.
    items : list of dict
        The same as ``spec.outlier``.
    a_centroids, w_centroids : arrays
        Codebooks.
    centroid : (count,) int
        Of each outlier.
    """

    def __init__(self, bed: Testbed, scale: Scale, count: int) -> None:
        spec, rng = bed.block.spec, bed.rng
        self.scale, self.symmetric = scale, spec.numbers.symmetric
        size = int(rng.choice([4, 8, 16]))
        self.a_centroids, self.w_centroids = (
            random_centroids(rng, size, symmetric=self.symmetric) for _ in range(2)
        )
        self.x = near_scale(rng, scale, count)
        self.position = rng.integers(spec.inputs_max, size=count)
        self.again = rng.random(count) < 0.2
        keys = key(self.x)
        index = cluster(keys[None], thresholds(scale, self.a_centroids))[0]
        self.centroid = self.a_centroids[index]
        self.items = [
            {"key": int(k), "position": int(p), "repeated": int(r)}
            for k, p, r in zip(keys, self.position, self.again, strict=True)
        ]

    def set(self, bed: Testbed) -> None:
        """Drive what the block takes of the layer and the token."""
        inputs: dict[str, Any] = {
            "k_top": len(self.x) // 2,
            "a_centroids": stored(self.a_centroids, symmetric=self.symmetric),
            "w_centroids": stored(self.w_centroids, symmetric=self.symmetric),
            "scale": scale_word(self.scale),
            "thresholds": threshold_words(self.scale, self.a_centroids, symmetric=self.symmetric),
            "reciprocal": int(reciprocal(self.scale.mantissa)[0]),
        }
        members = bed.block.signature.members
        bed.set(**{name: value for name, value in inputs.items() if name in members})
