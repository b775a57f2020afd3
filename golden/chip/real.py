"""The chip's decoder in real numbers, with any cache: what a cache alone costs."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from golden.chip.decoder import Decoder
from golden.exact.linear import QuantizedLinear
from golden.models.lm.model import rms_norm, silu
from golden.models.lm.tokens import Tokens
from golden.models.operations import exact_softmax
from golden.quantise.methods.layer import Array


@dataclass(frozen=True)
class Kept:
    """What attention reads of a layer; all (B, H, T, d) float32.

    Parameters
    ----------
    query, key, value : array
        As they meet, queries behind whatever they are turned by.
    recent : tuple of arrays, optional
        Keys and values of tokens that are still kept in FP16, and where they are read: bool
        (T, T), a row for each query.
    """

    query: Array
    key: Array
    value: Array
    recent: tuple[Array, Array, np.ndarray, np.ndarray] | None = None


# Takes the layer's number and queries, keys and values, positions included.
Keep = Callable[[int, Array, Array, Array], Kept]
# Takes the same and returns what attention makes of them, (B, H, T, d).
Attend = Callable[[int, Array, Array, Array], Array]


def exact(layer: int, query: Array, key: Array, value: Array) -> Kept:
    """Keep keys and values as they are."""
    del layer
    return Kept(query, key, value)


@dataclass(frozen=True)
class RealDecoder:
    """A decoder with the weights that it has in integers; all the rest in real numbers.

    Parameters
    ----------
    decoder : Decoder
    keep : callable
        How attention keeps keys and values.
    attend : callable, optional
        Attention itself, in the place of that in real numbers.
    """

    decoder: Decoder
    keep: Keep = exact
    attend: Attend | None = None
    weights: dict[int, tuple[Array, Array]] = field(default_factory=dict)

    def logits(self, windows: Tokens) -> Array:
        """Return what the model expects after each token: (B, T, vocabulary) for (B, T)."""
        size = self.decoder.shape
        x = self.decoder.embedding.view(np.float16)[windows].astype(np.float32)
        unit = np.full(size.hidden, size.hidden**-0.5, np.float32)  # the root is in the weights

        def normed(rows: Array) -> Array:
            flat = rms_norm(rows.reshape(-1, size.hidden), unit, size.norm_epsilon)
            return flat.reshape(rows.shape)

        for n, layer in enumerate(self.decoder.layers):
            a = normed(x)
            query, key, value = (self._run(one, a) for one in (layer.query, layer.key, layer.value))
            x = x + self._run(layer.output, self._attention(n, query, key, value))
            a = normed(x)
            x = x + self._run(layer.down, silu(self._run(layer.gate, a)) * self._run(layer.up, a))
        return self._run(self.decoder.head, normed(x))

    def _attention(self, n: int, query: Array, key: Array, value: Array) -> Array:
        """Return a layer's mix of the values, (B, T, heads * d)."""
        size = self.decoder.shape
        batch, length = query.shape[:2]
        q, k, v = (
            part.reshape(batch, length, -1, size.head_width).transpose(0, 2, 1, 3)
            for part in (query, key, value)
        )
        turns = self.decoder.turns()[:length].view(np.float16).astype(np.float32)
        q, k, v = (
            np.repeat(part, size.heads // part.shape[1], axis=1)
            for part in (turned(q, turns), turned(k, turns), v)
        )
        if self.attend:
            mixed = self.attend(n, q, k, v)
            return mixed.transpose(0, 2, 1, 3).reshape(batch, length, -1)
        kept = self.keep(n, q, k, v)
        scores = kept.query @ kept.key.swapaxes(2, 3)
        none = np.zeros((length, length), np.bool_)
        own, values, of_keys, of_values = kept.recent or (k, v, none, none)
        if kept.recent:
            scores = np.where(of_keys, q @ own.swapaxes(2, 3), scores)
        scores[..., np.triu(np.ones((length, length), np.bool_), 1)] = -np.inf
        powers = exact_softmax(scores)
        if kept.recent:
            mixed = (powers * ~of_values) @ kept.value + (powers * of_values) @ values
        else:
            mixed = powers @ kept.value
        return mixed.transpose(0, 2, 1, 3).reshape(batch, length, -1)

    def _run(self, layer: QuantizedLinear | tuple[QuantizedLinear, ...], x: Array) -> Array:
        """Return what a layer, or the sum of several, makes of rows."""
        if id(layer) not in self.weights:
            parts = layer if isinstance(layer, tuple) else (layer,)
            real = sum(part.w_codebook()[part.w_index] * part.w_scale.value() for part in parts)
            bias = sum(part.bias.view(np.float16).astype(np.float32) for part in parts)
            both = (np.asarray(part, np.float32) for part in (real, bias))
            self.weights[id(layer)] = next(both), next(both)
        weight, bias = self.weights[id(layer)]
        found = x.reshape(-1, x.shape[-1]) @ weight + bias
        return found.reshape(*x.shape[:-1], -1)


def turned(heads: Array, turns: Array) -> Array:
    """Return heads (B, H, T, d) with each pair of neighbours turned: cosine, sine (T, d)."""
    even, odd, cosine, sine = heads[..., 0::2], heads[..., 1::2], turns[:, 0::2], turns[:, 1::2]
    pairs = np.stack([even * cosine - odd * sine, odd * cosine + even * sine], axis=-1)
    return pairs.reshape(heads.shape).astype(np.float32)
