"""How linear layers stand in memory: tiles of weight codes, scales of channels, load words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from golden.chip.constants import LoadWord
from golden.chip.shape import ChipShape
from golden.exact.cache_codes import FP16_BIAS
from golden.exact.levels import Levels
from golden.exact.linear import QuantizedLinear
from golden.exact.mapping import index_code, stored_centroids
from golden.exact.spec import IntArray
from golden.exact.token_scale import Scale, ScaleFactor
from golden.quantise.layer_container import pack

SCALE_SPAN = 29  # exponents that lie between scales of a layer's channels at most


def tiles(shape: ChipShape, layer: QuantizedLinear) -> bytes:
    """Return the weight codes: tile after tile, beat after beat, input by input, two a byte."""
    codes = index_code(layer.w_index.astype(np.int64), len(layer.w_centroids), symmetric=True)
    beats = -(-layer.inputs // shape.inputs_per_beat) * shape.inputs_per_beat
    padding = ((0, beats - layer.inputs), (0, -layer.outputs % shape.output_lanes))
    by_tile = np.pad(codes, padding).reshape(beats, -1, shape.output_lanes).transpose(1, 0, 2)
    return pack(by_tile.astype(np.uint8)).tobytes()


def channel_words(layer: QuantizedLinear) -> tuple[bytes, bool, int]:
    """Return scales of a layer's channels, each with its bias if there are any, and how to read it.

    That is whether there are biases, and the places: scales are FP16 numbers times ``2**places``.

    Raises
    ------
    ValueError
        If they differ so much that no number of places makes all of them normal FP16 numbers.
    """
    exponent = layer.w_scale.exponent + FP16_BIAS
    places = int(exponent.max()) - 1 - SCALE_SPAN
    field = exponent - places
    if field.min() < 1:
        raise ValueError(f"channel scales differ by more than a factor of 2**{SCALE_SPAN}")
    words = [(layer.w_scale.mantissa - 1024 | field << 10).astype("<u2")]
    biased = bool((layer.bias & 0x7FFF).any())
    if biased:
        words.append(layer.bias.astype("<u2"))
    return np.stack(words, axis=1).tobytes(), biased, places


def factor_word(factor: ScaleFactor) -> bytes:
    """Return the load word of a layer's factor."""
    word = factor.mantissa | (factor.exponent & 0xFF) << 16
    return LoadWord.pack(LoadWord.SIZE, LoadWord.FACTOR, word)


def size_words(sizes: Sequence[tuple[int, int]]) -> bytes:
    """Return load words of sizes: pairs of what it is, and how much."""
    return b"".join(LoadWord.pack(LoadWord.SIZE, *pair) for pair in sizes)


def centroid_words(codebook: IntArray) -> bytes:
    """Return load words of a symmetric weight codebook."""
    stored = np.pad(stored_centroids(codebook, symmetric=True), (0, 8 - len(codebook) // 2))
    words = (LoadWord.pack(LoadWord.CENTROID, n, int(value)) for n, value in enumerate(stored))
    return b"".join(words)


def level_words(levels: Levels) -> bytes:
    """Return load words of the levels that activations are snapped to."""
    pairs = zip(levels.value.tolist(), levels.first.tolist(), strict=True)
    words = (LoadWord.pack(LoadWord.LEVEL, n, LoadWord.level(*p)) for n, p in enumerate(pairs))
    return b"".join(words)


def constant_words(layer: QuantizedLinear) -> bytes:
    """Return the load words of a layer: its size, factor, weight codebook, and levels if any."""
    sizes = (
        (LoadWord.CLEAR_FLAGS, 0),  # a run begins without what another has left
        (LoadWord.INPUTS, layer.inputs),
        (LoadWord.OUTPUTS, layer.outputs),
        (LoadWord.K_TOP, layer.k_top),
        (LoadWord.DIGITS, layer.spec.residual_digits(layer.inputs)),
    )
    words = size_words(sizes) + factor_word(layer.factor) + centroid_words(layer.w_centroids)
    return words + level_words(layer.levels) if layer.levels else words


def channels_of(layer: QuantizedLinear, part: slice) -> QuantizedLinear:
    """Return some of a layer's output channels."""
    scale = Scale(layer.w_scale.mantissa[part], layer.w_scale.exponent[part])
    index, bias = layer.w_index[:, part], layer.bias[part]
    return replace(layer, w_index=index, w_scale=scale, bias=bias, offset=0.0)
