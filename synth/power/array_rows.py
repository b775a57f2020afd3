"""What arrays get, beat by beat, when the energy of a multiply-accumulate is measured.

Weights and activations are normal numbers, each quantised as the array's format is: integers so
that the largest of a group of 128 is their largest, indices by quantiles of sixteen clusters. Every
beat has weights of its own, as a token alone has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from gateware.design import Design
from golden.exact.fp16 import to_bits
from golden.exact.mapping import index_code
from hw.baseline.scaled_array import ScaledArray
from hw.linear.counter.bin_merge import BinMerge
from hw.linear.counter.count_tree import CountTree
from hw.linear.lookup.lookup_array import LookupArray
from synth.power.held_counter import HeldCounter

ROWS, BEATS = 3, 16  # the first row fills the array
CHANNELS = 33  # of the counter engine's parts, with a bin each
GROUP = 128
SEED = 20261128
INDICES = 16
BITS = {"int4": 4, "int8": 8}
LEVELS_OF_SCALE = 16  # steps of a token scale on the grid
Cycle = dict[str, Any]
# Clusters of normal numbers are found by Lloyd's iteration on these.
_TRY = np.sort(np.random.default_rng(0).normal(size=1 << 16))


@cache
def clusters(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of so many clusters of normal numbers, and their centroids."""
    half = np.quantile(np.abs(_TRY), (np.arange(count // 2) + 0.5) * 2 / count)
    centroids = np.concatenate([-half[::-1], half])
    for _ in range(30):
        bounds = (centroids[1:] + centroids[:-1]) / 2
        index = np.searchsorted(bounds, _TRY)
        means = np.array([_TRY[index == n].mean() for n in range(count)])
        centroids = (means - means[::-1]) / 2
    return (centroids[1:] + centroids[:-1]) / 2, centroids


BOUNDS, CENTROIDS = clusters(INDICES)


@dataclass(frozen=True)
class Numbers:
    """A source of normal numbers for an array of some lanes."""

    rng: np.random.Generator
    inputs: int
    outputs: int

    def activations(self) -> np.ndarray:
        """Return those of a beat."""
        return self.rng.normal(size=self.inputs)

    def weights(self) -> np.ndarray:
        """Return those of a beat, by input and output lane."""
        return self.rng.normal(size=(self.inputs, self.outputs))


def _integers(values: np.ndarray, bits: int, rng: np.random.Generator) -> list[Any]:
    """Round to integers whose largest a group's largest number becomes."""
    most = (1 << (bits - 1)) - 1
    largest = np.abs(rng.normal(size=GROUP)).max()
    return np.clip(np.round(values / largest * most), -most, most).astype(int).tolist()


def _codes(values: np.ndarray, count: int = INDICES) -> np.ndarray:
    return index_code(np.searchsorted(clusters(count)[0], values), count, symmetric=True)


def _mac(design: Design, numbers: Numbers) -> list[Cycle]:
    """Return a tile's beats for a baseline; those of FP16 have several tiles that take turns."""
    spec, rng = design.spec, numbers.rng
    steady: Cycle = {"o__ready": 1, "i__valid": 1}
    if scaled := design.kind is ScaledArray:
        scales = {"activation": 0x2E66, "weights": [0x211E] * spec.output_lanes}
        steady |= {"scale_i__valid": 1, "scale_i__payload": scales | {"first": 1, "last": 1}}
    beats = spec.inputs_max // spec.inputs_per_beat if scaled else BEATS
    cycles, x = [], numbers.activations()
    for n in range(BEATS * spec.interleave):
        if n % spec.interleave == 0:
            x = numbers.activations()
        w = numbers.weights()
        if spec.floating:
            a, b = to_bits(x).tolist(), to_bits(0.02 * w).tolist()
        else:
            bits = BITS[spec.arithmetic]
            a, b = _integers(x, bits, rng), _integers(w, bits, rng)
        at = n // spec.interleave % beats
        ends = {"first": int(at == 0), "last": int(at == beats - 1)}
        cycles.append(steady | {"i__payload": {"activations": a, "weights": b, **ends}})
    return cycles


def _lookup(design: Design, numbers: Numbers) -> list[Cycle]:
    """Return a tile's beats: codes of all inputs, no outliers."""
    spec = design.spec
    numbered = spec.numbers
    half = CENTROIDS[INDICES // 2 :]
    levels = INDICES if numbered.made else 1 << numbered.activation_bits
    inputs = BEATS * spec.inputs_per_beat
    shape = {"inputs": inputs, "outputs": spec.output_lanes, "k_top": 0, "digits": 2}
    steady: Cycle = {
        "shape": shape | {"last_centroid": levels - 1},
        "codes__filled": 1,
        "rows__filled": 1,
        "room": 1,
        "weight_i__valid": 1,
    }
    most = numbered.entry_max
    if numbered.made:
        steady["w_centroids"] = np.round(half / half[-1] * most).astype(int).tolist()
    else:
        rows = clusters(levels)[1][levels // 2 :]
        table = np.outer(rows, half) / (rows[-1] * half[-1])
        steady["product_table"] = np.round(table * most).astype(int).tolist()
    cycles = []
    for _ in range(BEATS):
        x = numbers.activations()
        if numbered.made:
            steps = np.round(np.clip(x * 0.8 * LEVELS_OF_SCALE, -127, 127)).astype(int)
            codes = np.where(steps < 0, 128 - steps, steps)
        else:
            codes = _codes(x, levels)
        word = sum(int(code) << n * spec.code_bits for n, code in enumerate(codes))
        weights = _codes(numbers.weights()).tolist()
        cycles.append(steady | {"codes__data": word, "weight_i__payload": weights})
    return cycles


def _pairs(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.searchsorted(BOUNDS, rng.normal(size=count)) for _ in range(2))  # pyright: ignore


def _counter(design: Design, numbers: Numbers) -> list[Cycle]:
    """Return pairs for a counter, a cycle each."""
    spec = design.spec
    cycles = []
    for _ in range(BEATS):
        rows, columns = _pairs(numbers.rng, spec.counter_inputs)
        used = (1 << spec.counter_inputs) - 1
        cycles.append({"rows": rows.tolist(), "columns": columns.tolist(), "used": used})
    return cycles


def _histograms(spec: Any, rng: np.random.Generator) -> np.ndarray:
    """Return a channel's counts by beat, counter, bin, and whether the counter's last input."""
    beats, counters, inputs = spec.steps, spec.counters, spec.counter_inputs
    row, column = _pairs(rng, beats * counters * inputs)
    bins = (row * INDICES + column).reshape(beats, counters, inputs)
    return (bins[..., None] == np.arange(spec.bins)).astype(int).swapaxes(2, 3)


def _merge(design: Design, numbers: Numbers) -> list[Cycle]:
    """Return the counts of one bin, drawn at random, over a channel."""
    spec, rng = design.spec, numbers.rng
    hits = _histograms(spec, rng)
    one, totals = int(rng.integers(spec.bins)), hits.sum(axis=(0, 1, 3))
    cycles = []
    for beat in range(spec.steps):
        counts = hits[beat, :, one, :-1].sum(axis=1) + (
            hits[beat, :, one, -1] << (spec.part_bits - 1)
        )
        ends = {"first": int(beat == 1), "last": int(beat == 0)}  # a cycle behind the counts
        following = int(totals[rng.integers(spec.bins)])
        cycles.append({"counts": counts.tolist(), "following": following, **ends})
    return _flat(cycles, "counts")


def _tree(design: Design, numbers: Numbers) -> list[Cycle]:
    """Return a channel's slices of bins, with products to multiply them with."""
    spec, rng = design.spec, numbers.rng
    counts = _histograms(spec, rng).sum(axis=(0, 1, 3)).reshape(spec.steps, -1)
    entries = rng.integers(0, 1 << spec.entry_bits, counts.shape)
    start = -spec.steps * spec.pairs << spec.numbers.magnitude_bits
    cycles = [
        {
            "counts": counts[n].tolist(),
            "entries": entries[n].tolist(),
            "first": int(n == 0),
            "start": start,
        }
        for n in range(spec.steps)
    ]
    return _flat(cycles, "counts", "entries")


def _flat(cycles: list[Cycle], *names: str) -> list[Cycle]:
    """Return cycles with arrays of ports in place of lists."""
    flat = []
    for cycle in cycles:
        ports = {f"{name}__{k}": v for name in names for k, v in enumerate(cycle[name])}
        flat.append({key: v for key, v in cycle.items() if key not in names} | ports)
    return flat


def array_rows(design: Design) -> list[list[Cycle]]:
    """Return the rows of an array, for :func:`synth.power.part_energy.row_energy`."""
    spec = design.spec
    numbers = Numbers(np.random.default_rng(SEED), spec.inputs_per_beat, spec.output_lanes)
    kinds: dict[Any, Callable[[Design, Numbers], list[Cycle]]] = {
        LookupArray: _lookup,
        HeldCounter: _counter,
        BinMerge: _merge,
        CountTree: _tree,
    }
    make = kinds.get(design.kind, _mac)
    count = CHANNELS if design.kind in (BinMerge, CountTree) else ROWS
    return [make(design, numbers) for _ in range(count)]
