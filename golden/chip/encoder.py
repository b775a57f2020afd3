"""An encoder of BERT's kind as the chip runs it: all of it in the numbers of the hardware."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from golden.chip.constants import SPEC, chip_layer
from golden.exact.cache_codes import CacheFormat
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.norms import SQUARE_UNIT
from golden.exact.token_scale import ScaleFactor
from golden.quantise.quantize import to_scale

LINEARS = ("query", "key", "value", "output", "up", "down")
# A mean is a layer with one output, all weights one centroid: a power of two, so that rows are
# exact; the others are there because a codebook has eight.
CENTROID = 256
MEAN_OUTLIERS = 2  # on each side, which the grid of the activations does not reach


@dataclass(frozen=True, kw_only=True)
class EncoderShape:
    """Sizes of an encoder of BERT's kind.

    Parameters
    ----------
    vocabulary, hidden, layers, heads, inner : int
    context : int
        Tokens of a text at most.
    norm_epsilon : float
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    inner: int
    context: int
    norm_epsilon: float = 1e-12

    def __post_init__(self) -> None:
        if self.hidden % self.heads:
            raise ValueError(f"{self.hidden} numbers are not for {self.heads} heads")

    @property
    def head_width(self) -> int:
        """Numbers of a head."""
        return self.hidden // self.heads

    @property
    def norm_start(self) -> int:
        """What a norm's sum of squares begins with: K times epsilon, in its unit."""
        return round(self.hidden * self.norm_epsilon * 2**SQUARE_UNIT)

    def group(self, head: int) -> int:
        """Return which head of keys and values serves a head of queries: its own."""
        return head


@dataclass(frozen=True, kw_only=True)
class Norm:
    """What a LayerNorm multiplies by and adds.

    Parameters
    ----------
    gain : (hidden,) uint16
        Times the root of the number of inputs, which the factor of a sum of squares leaves out.
    shift : (hidden,) uint16
    """

    gain: BitArray
    shift: BitArray


@dataclass(frozen=True, kw_only=True)
class EncoderLayer:
    """One layer of an encoder, whose norms stand behind the residual additions.

    Queries and keys are turned by a Hadamard matrix, which is in their weights; so is that the
    keys' mean is taken off, and the root of a head's width.

    Parameters
    ----------
    query, key, value, output, up, down : QuantizedLinear
    attended, fed : Norm
        Behind attention and behind the feed-forward part.
    keys, values : CacheFormat
    """

    query: QuantizedLinear
    key: QuantizedLinear
    value: QuantizedLinear
    output: QuantizedLinear
    up: QuantizedLinear
    down: QuantizedLinear
    attended: Norm
    fed: Norm
    keys: CacheFormat
    values: CacheFormat

    def linears(self) -> Mapping[str, QuantizedLinear]:
        """Return the linear layers by name."""
        return {name: getattr(self, name) for name in LINEARS}


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """An encoder in integers.

    Parameters
    ----------
    shape : EncoderShape
    words : (vocabulary, hidden) uint16
        Embeddings of tokens, FP16 patterns.
    places : (context, hidden) uint16
        What is added to them at each position.
    norm : Norm
        Of the sum.
    layers : tuple of EncoderLayer
    score_outliers, mix_outliers : int
        Numbers on each side of a query, and of a row of powers, that are kept exact.
    """

    shape: EncoderShape
    words: BitArray
    places: BitArray
    norm: Norm
    layers: tuple[EncoderLayer, ...]
    score_outliers: int
    mix_outliers: int

    def linears(self) -> Mapping[str, QuantizedLinear]:
        """Return all linear layers by name."""
        return {
            f"layers.{n}.{name}": linear
            for n, one in enumerate(self.layers)
            for name, linear in one.linears().items()
        }


def mean_layer(inputs: int) -> QuantizedLinear:
    """Return the layer whose one output is the mean of its inputs."""
    positive = np.arange(1, 9) * (CENTROID // 8)
    return chip_layer(
        np.full((inputs, 1), 7),
        np.concatenate([-positive[::-1], positive]),
        to_scale(np.array([1 / inputs / (CENTROID / 2**SPEC.w_fraction_bits)])),
        np.zeros(1, np.uint16),
        k_top=min(MEAN_OUTLIERS, inputs),
        factor=ScaleFactor.mean(inputs),
    )
