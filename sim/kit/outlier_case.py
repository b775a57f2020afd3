"""Outliers of a token in a layer, for the blocks that work on what their centroids leave."""

from typing import Any

from golden.exact.fp16 import key
from golden.exact.linear import activation_index
from golden.exact.residual import reciprocal
from golden.exact.token_scale import Scale, ScaleFactor
from sim.kit.codebooks import (
    any_a_centroids,
    measure_words,
    near_scale,
    scale_word,
    stored,
    weight_words,
)
from sim.kit.levels import any_levels, level_ports
from sim.kit.random_layer import fitting_codebook
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
        numbers, inputs = spec.numbers, spec.inputs_max
        factor = ScaleFactor.mean(inputs)
        self.a_centroids = any_a_centroids(rng, spec)
        size = int(rng.choice([4, 8, 16]))
        self.w_centroids = fitting_codebook(rng, numbers, size, inputs, factor, self.a_centroids)
        self.x = near_scale(rng, scale, count, inputs)
        self.position = rng.integers(spec.inputs_max, size=count)
        self.again = rng.random(count) < 0.2
        keys = key(self.x)
        made = numbers.made
        levels = any_levels(rng, spec)
        self.level_ports = level_ports(rng, spec, levels)
        index = activation_index(self.x[None], scale, self.a_centroids, made=made, levels=levels)[0]
        self.centroid = self.a_centroids[index]
        self.items = [
            {"key": int(k), "position": int(p), "repeated": int(r)}
            for k, p, r in zip(keys, self.position, self.again, strict=True)
        ]

    def set(self, bed: Testbed) -> None:
        """Drive what the block takes of the layer and the token."""
        spec = bed.block.spec
        numbers = spec.numbers
        inputs: dict[str, Any] = {
            "k_top": len(self.x) // 2,
            "digits": numbers.residual_digits(spec.inputs_max),
            "w_centroids": weight_words(spec, stored(self.w_centroids, symmetric=self.symmetric)),
            "scale": scale_word(self.scale),
            "measure": measure_words(spec, self.scale, self.a_centroids),
            "reciprocal": int(reciprocal(self.scale.mantissa)[0]),
            **self.level_ports,
        }
        if not numbers.made:
            inputs["a_centroids"] = stored(
                self.a_centroids, symmetric=self.symmetric, bits=spec.code_bits
            )
        members = bed.block.signature.members
        bed.set(**{name: value for name, value in inputs.items() if name in members})
