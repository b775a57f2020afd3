"""Ways to keep keys and values, with the bits that each takes for a value, all in.

K-Means as this project does it, and integers as published: asymmetric for each token and head;
KIVI (arXiv 2402.02750), which takes a grid for 32 tokens of a channel of keys and for 32 channels
of a value, and leaves the last tokens in FP16; QuaRot's (arXiv 2404.00456), behind a Hadamard turn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from golden.chip.decoder import Decoder
from golden.chip.real import Keep, Kept, RealDecoder, exact
from golden.exact.cache_codes import CacheFormat
from golden.exact.codebook import fit_codebook
from golden.exact.spec import GRID_FRACTION_BITS
from golden.models.lm.tokens import Tokens
from golden.quantise.methods.grid import Floats, to_shifted_grid
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.methods.layer import Array

FP16 = 16
GROUP = 32  # KIVI's
QUAROT_CLIP = 0.95
SAMPLE = 1 << 14  # vectors that a codebook is fitted to


@dataclass(frozen=True)
class Kind:
    """A way to keep keys and values.

    Parameters
    ----------
    label : str
    bits : float
        Of a value, with its part of scales, zero points, outliers and FP16 tokens.
    make : callable
        Takes the queries, keys and values of each layer on calibration text; returns what keeps.
    """

    label: str
    bits: float
    make: Callable[[Sequence[Kept]], Keep]


def seen_heads(decoder: Decoder, text: Tokens) -> list[Kept]:
    """Return what attention reads in each layer, for calibration."""
    nothing = np.zeros(0, np.float32)
    found = [Kept(nothing, nothing, nothing)] * len(decoder.layers)

    def keep(layer: int, query: Array, key: Array, value: Array) -> Kept:
        found[layer] = Kept(query, key, value)
        return exact(layer, query, key, value)

    RealDecoder(decoder, keep).logits(text)
    return found


def kinds(decoder: Decoder) -> list[Kind]:
    """Return what is compared; the chip's own first."""
    width, length = decoder.shape.head_width, decoder.shape.context
    scale = FP16 / width
    outlier = (FP16 + (width - 1).bit_length()) / width  # a value and its place
    found = [Kind("as the chip keeps them", 4 + scale, partial(_chip, decoder))]
    for bits in (4, 3, 2):
        for most in (0, 1, 2):
            label = f"K-Means {bits} bits, mean off, {most} + {min(most, 1)} outliers"
            taken = bits + scale + outlier * (most + min(most, 1)) / 2
            found.append(Kind(label, taken, partial(_codebooks, bits, most, np.eye(width))))
        label = f"K-Means {bits} bits, mean off, keys turned"
        found.append(Kind(label, bits + scale, partial(_codebooks, bits, 0, hadamard(width))))
        found.append(Kind(f"INT{bits}, token and head", bits + 2 * scale, partial(_integers, bits)))
        label = f"QuaRot INT{bits}, keys and values turned"
        found.append(Kind(label, bits + 2 * scale, partial(_quarot, bits)))
        # The paper's 128 leave little of a context of 256 on grids.
        for last in (GROUP, 4 * GROUP) if bits == 4 else (GROUP,):
            label = f"KIVI {bits} bits, last {last} tokens in FP16"
            found.append(Kind(label, kivi_bits(bits, last, length), partial(_kivi, bits, last)))
    return found


def kivi_bits(bits: int, last: int, length: int) -> float:
    """Return KIVI's bits of a value, in the mean over all tokens kept at every position."""
    counts = np.arange(1, length + 1)
    whole = (counts % last + np.minimum(counts, last)) / 2  # of keys, and of values
    grid = bits + 2 * FP16 / GROUP
    return float((whole * FP16 + (counts - whole) * grid).sum() / counts.sum())


def _chip(decoder: Decoder, seen: Sequence[Kept]) -> Keep:
    del seen  # all is in the decoder

    def coded(x: Array, form: CacheFormat) -> Array:
        factor = float(form.factor.value()) * x.shape[-1]
        limits = (form.thresholds - 0.5) / 2**GRID_FRACTION_BITS * factor
        return _nearest(x, form.centroids / 64 * factor, limits, outliers=0)

    turn = hadamard(decoder.shape.head_width).astype(np.float32)

    def keep(layer: int, query: Array, key: Array, value: Array) -> Kept:
        one = decoder.layers[layer]
        flat = one.key_offset.view(np.float16).astype(np.float32)
        offset = flat.reshape(-1, 1, key.shape[-1])
        offset = np.repeat(offset, key.shape[1] // len(offset), axis=0)
        centred = np.asarray(key + offset, np.float32)
        return Kept(query @ turn, coded(centred @ turn, one.keys), coded(value, one.values))

    return keep


def _codebooks(bits: int, most: int, matrix: Floats, seen: Sequence[Kept]) -> Keep:
    """Return K-Means caches, keys turned; one outlier of values for one or two of keys."""
    turn = matrix.astype(np.float32)
    means = [layer.key.mean(axis=(0, 2), keepdims=True) for layer in seen]
    books = []
    for layer, mean in zip(seen, means, strict=True):
        energy = ((layer.query @ turn) ** 2).mean(axis=(0, 1, 2))
        keys = _fit((layer.key - mean) @ turn, bits, most, energy)
        books.append((keys, _fit(layer.value, bits, min(most, 1), np.ones_like(energy))))

    def keep(layer: int, query: Array, key: Array, value: Array) -> Kept:
        (keys, values), moved = books[layer], (key - means[layer]) @ turn
        kept = _nearest(moved, keys, _middle(keys), most)
        return Kept(query @ turn, kept, _nearest(value, values, _middle(values), min(most, 1)))

    return keep


def _integers(bits: int, seen: Sequence[Kept]) -> Keep:
    del seen

    def keep(layer: int, query: Array, key: Array, value: Array) -> Kept:
        del layer
        return Kept(query, _grid(key, bits), _grid(value, bits))

    return keep


def _quarot(bits: int, seen: Sequence[Kept]) -> Keep:
    turn = hadamard(seen[0].key.shape[-1]).astype(np.float32)

    def keep(layer: int, query: Array, key: Array, value: Array) -> Kept:
        del layer
        kept = _grid(key @ turn, bits, QUAROT_CLIP, with_zero=True)
        return Kept(query @ turn, kept, _grid(value @ turn, bits, QUAROT_CLIP) @ turn.T)

    return keep


def _kivi(bits: int, last: int, seen: Sequence[Kept]) -> Keep:
    del seen

    def keep(layer: int, query: Array, key: Array, value: Array) -> Kept:
        del layer
        length, width = key.shape[2:]
        whole = length // GROUP * GROUP  # what is behind is in FP16 for every query
        by_channel = key[:, :, :whole].reshape(*key.shape[:2], -1, GROUP, width).swapaxes(3, 4)
        kept = key.copy()
        kept[:, :, :whole] = (
            _grid(by_channel, bits).swapaxes(3, 4).reshape(*key.shape[:2], -1, width)
        )
        groups = value.reshape(*value.shape[:3], -1, GROUP)
        now, other = np.arange(1, length + 1)[:, None], np.arange(length)
        # Keys are put on grids whenever there are so many; values one by one.
        recent = key, value, other >= now - now % last, other >= now - last
        return Kept(query, kept, _grid(groups, bits).reshape(value.shape), recent)

    return keep


def _grid(x: Array, bits: int, clip: float = 1.0, *, with_zero: bool = False) -> Array:
    rows = x.reshape(-1, x.shape[-1])
    return (
        to_shifted_grid(rows, bits, clip, with_zero=with_zero).reshape(x.shape).astype(np.float32)
    )


def _fit(vectors: Array, bits: int, outliers: int, energy: Array) -> np.ndarray:
    """Return magnitudes of the centroids, in means of what is no outlier."""
    rows = vectors.reshape(-1, vectors.shape[-1])
    rows = rows[:: max(1, len(rows) // SAMPLE)]
    inner = np.where(_outliers(rows, outliers), 0, rows)
    mean = np.maximum(np.abs(inner).mean(axis=-1, keepdims=True), 1e-9)
    weight = np.where(inner == 0, 1e-12, mean**2 * energy)
    fitted = fit_codebook((inner / mean).ravel(), bits, symmetric=True, weights=weight.ravel())
    return fitted[len(fitted) // 2 :]


def _nearest(x: Array, centroids: np.ndarray, limits: np.ndarray, outliers: int) -> Array:
    """Return vectors as their centroids, with an FP16 scale each, but for outliers."""
    out = _outliers(x, outliers)
    magnitude = np.abs(np.where(out, 0, x))
    mean = magnitude.mean(axis=-1, keepdims=True).astype(np.float16).astype(np.float32)
    mean = np.maximum(mean, np.float32(2**-14))
    found = centroids[np.searchsorted(limits, magnitude / mean, side="right")] * mean
    return np.where(out, x, np.copysign(found, x)).astype(np.float32)


def _outliers(x: Array, count: int) -> np.ndarray:
    """Return where the largest magnitudes of each vector are."""
    if not count:
        return np.zeros(x.shape, np.bool_)
    magnitude = np.abs(x)
    return magnitude >= np.sort(magnitude, axis=-1)[..., -count, None]


def _middle(centroids: np.ndarray) -> np.ndarray:
    return (centroids[1:] + centroids[:-1]) / 2
