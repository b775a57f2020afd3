"""Random layers for the baseline arrays: their beats, and the sums that golden makes of them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from golden.exact.fp16 import to_bits
from golden.exact.mac import fp16_sums, half_odd, integer_sums
from hw.baseline.mac_spec import MacSpec
from sim.kit.fp16_operands import patterns


class MacLayer:
    """A random layer of whole beats and tiles.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where its numbers come from.
    spec : MacSpec
        The array.
    beats, tiles : int
        Beats of a tile, and tiles: a multiple of ``spec.interleave``.

    Attributes
    ----------
    activations : (K,) int
        Values; codes or patterns where these are what the array takes.
    weights : (K, N) int
    centroids : dict of str to (8,) int
        Magnitudes for each side, if the array takes codes.
    """

    def __init__(self, rng: np.random.Generator, spec: MacSpec, beats: int, tiles: int) -> None:
        assert tiles % spec.interleave == 0
        self.spec, self.beats, self.tiles = spec, beats, tiles
        inputs, outputs = beats * spec.inputs_per_beat, tiles * spec.output_lanes
        self.activations = self._numbers(rng, (inputs,), spec.activation)
        self.weights = self._numbers(rng, (inputs, outputs), spec.weight)
        self.centroids = {}
        if spec.arithmetic == "dequant":
            for name in ("activation_magnitudes", "weight_magnitudes"):
                self.centroids[name] = rng.integers(128, size=8)

    @staticmethod
    def _numbers(rng: np.random.Generator, size: tuple[int, ...], shape: Any) -> np.ndarray:
        bits = shape.size if hasattr(shape, "size") else shape.width
        if bits == 16:
            if rng.random() < 0.3:
                return patterns(rng, int(np.prod(size))).reshape(size)
            return to_bits(rng.normal(size=size))  # of which not many are infinite
        if hasattr(shape, "size"):  # a code
            return rng.integers(1 << bits, size=size)
        numbers = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), size=size)
        return np.full(size, -(1 << (bits - 1))) if rng.random() < 0.2 else numbers

    def sums(self) -> list[list[int]]:
        """Return every tile's sums, in the order in which tiles come."""
        spec = self.spec
        if spec.floating:
            sums = fp16_sums(self.activations, self.weights, spec.inputs_per_beat)
        else:
            sums = integer_sums(*self._values())
        return sums.reshape(self.tiles, spec.output_lanes).tolist()

    def _values(self) -> tuple[np.ndarray, np.ndarray]:
        x, w = self.activations, self.weights
        if self.centroids:
            x = self.centroids["activation_magnitudes"][x & 7] * np.where(x & 8, -1, 1)
            return x, half_odd(w, self.centroids["weight_magnitudes"])
        return x, w

    def stream(self) -> Iterator[dict[str, Any]]:
        """Yield the beats in their order."""
        spec = self.spec
        tiles = self.weights.reshape(self.beats, spec.inputs_per_beat, self.tiles, -1)
        inputs = self.activations.reshape(self.beats, -1).tolist()
        for first in range(0, self.tiles, spec.interleave):
            for beat in range(self.beats):
                for tile in range(first, first + spec.interleave):
                    yield {
                        "activations": inputs[beat],
                        "weights": tiles[beat, :, tile].tolist(),
                        "first": int(beat == 0),
                        "last": int(beat == self.beats - 1),
                    }
