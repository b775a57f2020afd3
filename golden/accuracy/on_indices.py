"""Nonlinear operations on 4-bit indices in the place of a model's own, fitted to its calibration.

Softmax and activation functions have codes of their own, fitted for each layer. A norm's mean
square is counted over the very indices, and with the outliers, that the linear layer behind it
makes of the norm's input: a norm is one factor, which changes no index.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from golden.base.errors import InputError
from golden.base.names import lookup
from golden.exact.fp16 import flush_nonfinite, key, to_bits
from golden.exact.index_maps import CodebookMap
from golden.exact.index_softmax import SoftmaxCodes, probabilities, softmax_indices
from golden.exact.index_statistics import (
    INDEX_BITS,
    histogram,
    square_constants,
    square_sum_by_counts,
)
from golden.exact.linear import QuantizedLinear, activation_index
from golden.exact.norms import SQUARE_UNIT, inverse_root
from golden.exact.outliers import repeated, select_outliers
from golden.exact.token_scale import token_scale
from golden.models.operations import EXACT
from golden.quantise.cache_fit import HeadCodes
from golden.quantise.index_fit import DistanceCounts, fit_map, fit_softmax
from golden.quantise.methods.kllm import IntegerLayer
from golden.quantise.methods.layer import Array, Linear

if TYPE_CHECKING:
    from golden.accuracy.options import EvalOptions

# What each model can have on indices, by the names of the command line.
OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "lm": ("softmax", "silu", "norm"),
    "minilm": ("softmax", "kv", "kv_level", "q", "gelu", "gelu5", "gelu6"),
}
# Bits of an index of activation functions.
FUNCTION_BITS = {"silu": 4, "gelu": 4, "gelu5": 5, "gelu6": 6}
CACHES = ("kv", "kv_level")  # scales as the chip's, or such that sums of squares stay
QUERY_BITS = 4
READERS = {"input_layernorm": "self_attn.q_proj", "post_attention_layernorm": "mlp.gate_proj"}
SAMPLES = 1 << 14  # of an activation function's arguments


def parse_operations(text: str, model: str) -> tuple[str, ...]:
    """Return the operations that a list with commas names, in the model's order.

    Raises
    ------
    InputError
        If there is no such model, or it has no such operation.
    """
    asked = [part.strip() for part in text.split(",") if part.strip()]
    known = lookup("model", model, OPERATIONS)
    for name in asked:
        if name not in known:
            raise InputError(
                f"{model} has no operation {name!r} on indices; name some of {', '.join(known)}"
            )
    for forms in (CACHES, FUNCTION_BITS):
        if len(several := [name for name in known if name in asked and name in forms]) > 1:
            raise InputError(f"name one of {', '.join(several)}: they are forms of the same")
    return tuple(name for name in known if name in asked)


def function_bits(names: Collection[str]) -> int:
    """Return how many bits indices of activation functions have."""
    return max((FUNCTION_BITS.get(name, 0) for name in names), default=0) or INDEX_BITS


def with_operations(
    label: str, options: "EvalOptions", names: tuple[str, ...]
) -> Iterator[tuple[str, "EvalOptions"]]:
    """Yield label and options of each run: none of the operations on indices, each alone, all."""
    yield label, options
    for name in names:
        yield f"{name} on indices", replace(options, on_indices=(name,))
    if len(names) > 1:
        yield f"{', '.join(names)} on indices", replace(options, on_indices=names)


class Watch:
    """Full precision, remembering what operations are given.

    Parameters
    ----------
    bits : int, optional
        Of an index of activation functions.
    """

    def __init__(self, bits: int = INDEX_BITS) -> None:
        self.bits = bits
        self.met: dict[str, list[tuple[Array, Array, Array]]] = {}
        self.distances: dict[str, DistanceCounts] = {}
        self.seen: dict[str, list[tuple[Array, Array, Array]]] = {}

    def heads(
        self, name: str, query: Array, key: Array, value: Array
    ) -> tuple[Array, Array, Array]:
        """Keep them."""
        self.met.setdefault(name, []).append((query, key, value))
        return query, key, value

    def softmax(self, name: str, scores: Array) -> Array:
        """Weigh the distances of the scores."""
        rows = to_bits(scores.reshape(-1, scores.shape[-1]))
        self.distances.setdefault(name, DistanceCounts()).add(rows)
        return EXACT.softmax(name, scores)

    def activation(self, name: str, x: Array, exact: Array, times: Array | None = None) -> Array:
        """Keep arguments, values, and how much errors of these count."""
        weights = np.ones(x.size, x.dtype) if times is None else times.ravel() ** 2
        self.seen.setdefault(name, []).append((x.ravel(), exact.ravel(), weights))
        return exact

    def root(self, name: str, x: Array, exact: Array) -> Array:
        """Return what is exact: layers say how their inputs become indices."""
        del name, x
        return exact

    def fitted(self) -> "Fitted":
        """Return the codes that fit what was seen."""
        maps = {}
        for name, seen in self.seen.items():
            every = [np.concatenate(part) for part in zip(*seen, strict=True)]
            # As many of each channel: the numbers of channels are even.
            step = -(-len(every[0]) // SAMPLES) | 1
            maps[name] = fit_map(
                *(part[::step] for part in every), passes=True, index_bits=self.bits
            )
        codes = {name: fit_softmax(one.weights) for name, one in self.distances.items()}
        heads = {
            name: HeadCodes.fit(
                *(np.concatenate(part, axis=1) for part in zip(*met, strict=True)),
                query_bits=QUERY_BITS,
            )
            for name, met in self.met.items()
        }
        return Fitted(codes, maps, heads)


@dataclass(frozen=True)
class Fitted:
    """Codes of each layer's operations, by its name."""

    softmax: Mapping[str, SoftmaxCodes]
    maps: Mapping[str, CodebookMap]
    heads: Mapping[str, HeadCodes] = field(default_factory=dict)


@dataclass(frozen=True)
class OnIndices:
    """Operations of which some are on indices, bit for bit; the others in full precision.

    Parameters
    ----------
    names : collection of str
        Names in :data:`OPERATIONS`.
    fitted : Fitted
    linears : mapping of str to Linear
        The model's quantised layers.
    epsilon : float
        Added to mean squares.
    """

    names: Collection[str]
    fitted: Fitted
    linears: Mapping[str, Linear] = field(default_factory=dict)
    epsilon: float = 0.0

    def heads(
        self, name: str, query: Array, key: Array, value: Array
    ) -> tuple[Array, Array, Array]:
        """Return them as codes stand for them, turned."""
        if not {*CACHES, "q"} & set(self.names):
            return query, key, value
        codes = self.fitted.heads[name]
        query, turned = query @ codes.turn, key @ codes.turn
        if "q" in self.names:
            query = codes.read(query)
        if not set(CACHES) & set(self.names):
            return query, turned, value
        return query, *codes.kept(key, value, level="kv_level" in self.names)

    def softmax(self, name: str, scores: Array) -> Array:
        """Return what indices of the scores stand for."""
        if "softmax" not in self.names:
            return EXACT.softmax(name, scores)
        codes = self.fitted.softmax[name]
        row = softmax_indices(to_bits(scores.reshape(-1, scores.shape[-1])), codes)
        return probabilities(row, codes).reshape(scores.shape).astype(np.float32)

    def activation(self, name: str, x: Array, exact: Array, times: Array | None = None) -> Array:
        """Return the value of each argument's index."""
        del times
        if not FUNCTION_BITS.keys() & set(self.names):
            return exact
        values: Any = self.fitted.maps[name](to_bits(x))
        return values.view(np.float16).astype(np.float32)

    def root(self, name: str, x: Array, exact: Array) -> Array:
        """Return the root of the mean square by counts."""
        place, _, kind = name.rpartition(".")
        layer = self.linears.get(f"{place}.{READERS[kind]}") if kind in READERS else None
        if "norm" not in self.names or layer is None:
            return exact
        if not isinstance(layer, IntegerLayer) or len(layer.layer.a_centroids) != 16:
            raise InputError("norms on indices take the 16 activation centroids of kllm's layers")
        return root_by_counts(layer.layer, x, self.epsilon)


def root_by_counts(layer: QuantizedLinear, x: Array, epsilon: float) -> Array:
    """Return the root mean squares (T, 1) of tokens (T, K), by the counts of a layer's indices."""
    bits = flush_nonfinite(to_bits(x))
    scale = token_scale(bits, layer.factor)
    index = activation_index(bits, scale, layer.a_centroids, made=False)
    places = select_outliers(key(bits), layer.k_top)
    used = np.ones(bits.shape, np.bool_)
    np.put_along_axis(used, places, values=False, axis=1)
    outliers = np.where(repeated(places), np.uint16(0), np.take_along_axis(bits, places, axis=1))
    start = round(x.shape[1] * epsilon * 2**SQUARE_UNIT)
    total = square_sum_by_counts(
        histogram(index, used), square_constants(layer.a_centroids), scale, outliers, start
    )
    root = 1 / (inverse_root(total).value() * np.sqrt(x.shape[1]))
    return root[:, None].astype(np.float32)
