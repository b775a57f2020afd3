"""Whole texts in an encoder's numbers on the chip: all tokens go through an operation together.

Every number is what :class:`golden.chip.machine.Machine` computes, token by token.
"""

from fractions import Fraction

import numpy as np

from golden.chip.attention import MIX_MEANS
from golden.chip.encoder import Encoder, EncoderLayer, Norm, mean_layer
from golden.chip.layer_image import channel_words
from golden.chip.windows import ONE, cached, run
from golden.exact.cache_codes import cache_codes
from golden.exact.fp16 import BitArray, flush_nonfinite, units
from golden.exact.fp16_arithmetic import SIGN, add, multiply
from golden.exact.gelu import gelu
from golden.exact.norms import factor_number, inverse, inverse_root, square_sum
from golden.exact.spec import IntArray
from golden.exact.vector_operations import largest, powers
from golden.quantise.methods.layer import Array


class EncoderModel:
    """An encoder as the chip runs it.

    Parameters
    ----------
    encoder : Encoder
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.mean = mean_layer(encoder.shape.hidden)
        for linear in encoder.linears().values():
            channel_words(linear)  # refuses what the chip's channels cannot hold

    def hidden(self, tokens: IntArray) -> BitArray:
        """Return the last hidden states (T, hidden) of a text as FP16 patterns."""
        encoder = self.encoder
        x = self.normed(encoder.norm, add(encoder.words[tokens], encoder.places[: len(tokens)]))
        for layer in encoder.layers:
            x = self.normed(layer.attended, add(x, self._attention(layer, x)))
            x = self.normed(layer.fed, add(x, run(layer.down, gelu(run(layer.up, x)))))
        return x

    def normed(self, norm: Norm, x: BitArray) -> BitArray:
        """Return LayerNorm of tokens."""
        mean = largest(run(self.mean, x))[:, None]
        centred = add(x, np.broadcast_to(mean ^ np.uint16(SIGN), x.shape))
        total = square_sum(flush_nonfinite(centred), self.encoder.shape.norm_start)
        factor = factor_number(inverse_root(total))[:, None]
        normed = multiply(centred, np.broadcast_to(factor, x.shape))
        gain, shift = (np.broadcast_to(part, x.shape) for part in (norm.gain, norm.shift))
        return add(multiply(normed, gain), shift)

    def _attention(self, layer: EncoderLayer, x: BitArray) -> BitArray:
        size, length = self.encoder.shape, len(x)
        query, key, value = (
            run(linear, x).reshape(length, -1, size.head_width)
            for linear in (layer.query, layer.key, layer.value)
        )
        ones = np.full(size.head_width, ONE, np.uint16)
        few = min(length, self.encoder.mix_outliers)
        mixed = np.empty_like(query)
        for head in range(size.heads):
            codes, scales = cache_codes(key[:, head], layer.keys)
            keys = cached(layer.keys, codes.T, scales, self.encoder.score_outliers)
            scores = run(keys, query[:, head])
            codes, scales = cache_codes(value[:, head], layer.values)
            found, total = powers(scores, largest(scores), np.broadcast_to(scales, scores.shape))
            values = cached(layer.values, codes, ones, few, Fraction(MIX_MEANS))
            mixed[:, head] = run(values, found, inverse(total))
        return run(layer.output, mixed.reshape(length, -1))


def pooled(hidden: BitArray) -> Array:
    """Return the unit vector (hidden,) of a text: the mean of its tokens' last hidden states.

    The sum is exact, and what follows is in float64, in one order: equal states give equal bits.
    """
    whole = np.where(hidden & SIGN, -units(hidden), units(hidden)).sum(axis=0)
    mean = whole.astype(np.float64)
    return np.asarray(mean / np.sqrt(np.square(mean).sum()), np.float32)
