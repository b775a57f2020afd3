"""Whole windows of text in the chip's numbers: the machine's logits, many positions at a time.

Every number is what :class:`golden.chip.machine.Machine` computes, position by position; here all
positions of a window go through an operation together wherever they do not depend on each other.
"""

from fractions import Fraction
from functools import reduce

import numpy as np

from golden.chip.attention import CACHE_PLACES, MIX_MEANS
from golden.chip.constants import chip_layer
from golden.chip.decoder import Decoder, DecoderLayer
from golden.chip.layer_image import channel_words
from golden.chip.spread import spread_layer
from golden.exact.cache_codes import CacheFormat, cache_codes, scale_of
from golden.exact.fp16 import BitArray, flush_nonfinite, key
from golden.exact.fp16_arithmetic import add
from golden.exact.linear import QuantizedLinear, forward, look_up
from golden.exact.norms import inverse, inverse_root, square_sum
from golden.exact.outliers import select_outliers
from golden.exact.spec import IntArray
from golden.exact.token_scale import Scale, ScaleFactor, token_scale
from golden.exact.vector_operations import gate, largest, powers, rotate
from golden.models.lm.tokens import Tokens

ONE = 0x3C00
LOWEST = 0xFBFF  # -65504: its power is 0 beside any score that is not as low
BEYOND = 0x7C00  # above the key of any number


class ChipModel:
    """A decoder as the chip runs it, for text that is known.

    Parameters
    ----------
    decoder : Decoder
    """

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.turns = decoder.turns()
        self.spread = spread_layer(decoder.shape.head_width)
        for linear in decoder.linears().values():
            channel_words(linear)  # refuses what the chip's channels cannot hold

    def logits(self, windows: Tokens) -> np.ndarray:
        """Return what the model expects after each token.

        Parameters
        ----------
        windows : (B, T) int64
            T up to the model's context.

        Returns
        -------
        (B, T, vocabulary) float32
        """
        found = [self.bits(window).view(np.float16).astype(np.float32) for window in windows]
        return np.stack(found)

    def bits(self, tokens: IntArray) -> BitArray:
        """Return the logits (T, vocabulary) of a window as FP16 patterns."""
        x = self.decoder.embedding[tokens]
        for layer in self.decoder.layers:
            x = add(x, self._attention(layer, x))
            norm = self._root(x)
            gated = gate(run(layer.gate, x, norm), run(layer.up, x, norm))
            x = add(x, run(layer.down, gated))
        norm = self._root(x)
        return reduce(add, (run(part, x, norm) for part in self.decoder.head))

    def _root(self, x: BitArray) -> Scale:
        return inverse_root(square_sum(flush_nonfinite(x), self.decoder.shape.norm_start))

    def _attention(self, layer: DecoderLayer, x: BitArray) -> BitArray:
        size, length = self.decoder.shape, len(x)
        norm = self._root(x)
        query, key, value = (
            run(linear, x, norm).reshape(length, -1, size.head_width)
            for linear in (layer.query, layer.key, layer.value)
        )
        turns = np.broadcast_to(self.turns[:length, None], query.shape)
        query = rotate(query, turns)
        key = rotate(key, turns[:, : size.kv_heads])
        offset = np.broadcast_to(layer.key_offset.reshape(size.kv_heads, -1), key.shape)
        key = add(key, offset)
        mixed = np.empty_like(query)
        for head in range(size.heads):
            group = size.group(head)
            codes, scales = cache_codes(run(self.spread, key[:, group]), layer.keys)
            keys = cached(layer.keys, codes.T, scales, self.decoder.score_outliers)
            scores = run(keys, run(self.spread, query[:, head]))
            codes, scales = cache_codes(value[:, group], layer.values)
            mixed[:, head] = self._mix(layer.values, scores, codes, scales)
        return run(layer.output, mixed.reshape(length, -1))

    def _mix(
        self, form: CacheFormat, scores: BitArray, codes: IntArray, scales: BitArray
    ) -> BitArray:
        """Return a head's mixes (T, d), row n of scores with the first n + 1 values.

        Powers of what is yet to come are zeros. They change nothing, but that they must not be
        among the smallest, and the first rows have too few to choose from.
        """
        length, count = len(scores), self.decoder.mix_outliers
        past = np.tri(length, dtype=np.bool_)
        seen = np.where(past, scores, LOWEST)
        found, total = powers(seen, largest(seen), np.broadcast_to(scales, seen.shape))
        x, factor = flush_nonfinite(np.where(past, found, 0).astype(np.uint16)), inverse(total)
        ones = np.full(codes.shape[1], ONE, np.uint16)
        few = min(length, max(count - 1, 0))
        first = [
            forward(
                cached(form, codes[:n], ones, n, Fraction(MIX_MEANS)),
                x[None, n - 1, :n],
                Scale(factor.mantissa[n - 1 : n], factor.exponent[n - 1 : n]),
            ).y
            for n in range(1, few + 1)
        ]
        if few == length:
            return np.concatenate(first)
        means = [ScaleFactor.mean(n, Fraction(MIX_MEANS)) for n in range(few + 1, length + 1)]
        scale = token_scale(
            x[few:],
            Scale(
                np.array([mean.mantissa for mean in means]),
                np.array([mean.exponent for mean in means]),
            ),
        )
        keys = key(x[few:])
        ends = np.where(past[few:], keys, BEYOND)
        outliers = [
            select_outliers(keys, count)[:, :count],
            select_outliers(ends, count)[:, count:],
        ]
        rest = look_up(
            cached(form, codes, ones, count, Fraction(MIX_MEANS)),
            x[few:],
            scale,
            np.concatenate(outliers, axis=1),
            Scale(factor.mantissa[few:], factor.exponent[few:]),
        )
        return np.concatenate([*first, rest[2]])


def run(layer: QuantizedLinear, x: BitArray, factor: Scale | None = None) -> BitArray:
    """Return what a layer makes of tokens."""
    return forward(layer, x, factor).y


def cached(
    form: CacheFormat,
    codes: IntArray,
    scales: BitArray,
    outliers: int,
    means: Fraction = Fraction(1),
) -> QuantizedLinear:
    """Return cached codes (K, N) as a linear layer."""
    return chip_layer(
        codes,
        form.codebook(),
        scale_of(scales, CACHE_PLACES),
        np.zeros(len(scales), np.uint16),
        k_top=outliers,
        factor=ScaleFactor.mean(len(codes), means),
    )
