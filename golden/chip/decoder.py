"""A decoder as the chip runs it: all of it in the numbers of the hardware."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.exact.cache_codes import CacheFormat
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.norms import SQUARE_UNIT

LINEARS = ("query", "key", "value", "output", "gate", "up", "down")


@dataclass(frozen=True, kw_only=True)
class DecoderShape:
    """Sizes of a decoder of LLaMA's kind.

    Parameters
    ----------
    vocabulary, hidden, layers, heads, inner, context : int
        As of :class:`golden.models.lm.config.Config`.
    kv_heads : int
        Heads of keys and values; each serves ``heads / kv_heads`` heads of queries.
    head_width : int
        Numbers of a head.
    rope_base, norm_epsilon : float
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    inner: int
    context: int
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads are no multiple of {self.kv_heads}")
        if self.head_width % 2:
            raise ValueError(f"a head must have an even width, has {self.head_width}")

    @property
    def norm_start(self) -> int:
        """What a norm's sum of squares begins with: K times epsilon, in its unit."""
        return round(self.hidden * self.norm_epsilon * 2**SQUARE_UNIT)

    def group(self, head: int) -> int:
        """Return which head of keys and values serves a head of queries."""
        return head * self.kv_heads // self.heads


@dataclass(frozen=True, kw_only=True)
class DecoderLayer:
    """One layer of a decoder.

    What a norm divides by rides in the scale of the tokens behind it, its gain in the weights. The
    root of the number of inputs, which the factor leaves out, is in their channels' scales. The
    dimensions of a head of queries and keys stand in pairs that turn together.

    Parameters
    ----------
    query, key, value, output, gate, up, down : QuantizedLinear
    key_offset : (kv_heads * head_width,) uint16
        What is added to turned keys before they are kept: minus their mean.
    keys, values : CacheFormat
    """

    query: QuantizedLinear
    key: QuantizedLinear
    value: QuantizedLinear
    output: QuantizedLinear
    gate: QuantizedLinear
    up: QuantizedLinear
    down: QuantizedLinear
    key_offset: BitArray
    keys: CacheFormat
    values: CacheFormat

    def linears(self) -> Mapping[str, QuantizedLinear]:
        """Return the linear layers by name."""
        return {name: getattr(self, name) for name in LINEARS}


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """A decoder in integers.

    Parameters
    ----------
    shape : DecoderShape
    embedding : (vocabulary, hidden) uint16
        FP16 patterns.
    layers : tuple of DecoderLayer
    head : tuple of QuantizedLinear
        From the residual stream, behind the last norm, to logits: the sum, rounded to FP16, of what
        these make. The second has the weights that the first has lost.
    score_outliers, mix_outliers : int
        Numbers on each side of a query, and of a row of powers, that are kept exact.
    """

    shape: DecoderShape
    embedding: BitArray
    layers: tuple[DecoderLayer, ...]
    head: tuple[QuantizedLinear, ...]
    score_outliers: int
    mix_outliers: int

    def linears(self) -> Mapping[str, QuantizedLinear]:
        """Return all linear layers by name: those of layers, and the output head's."""
        found = {f"head.{n}": layer for n, layer in enumerate(self.head)}
        for n, one in enumerate(self.layers):
            found |= {f"layers.{n}.{name}": linear for name, linear in one.linears().items()}
        return found

    def turns(self) -> BitArray:
        """Return cosine and sine (context, head_width) of each pair's angle at each position.

        Rounded to FP16: by at most 2**-12, wherever the position is.
        """
        half = self.shape.head_width // 2
        speeds = self.shape.rope_base ** (-np.arange(half) / half)
        angles = np.arange(self.shape.context)[:, None] * speeds
        found = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
        return found.reshape(len(angles), -1).astype(np.float16).view(np.uint16)
