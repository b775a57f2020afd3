"""What the counting blocks should do: bins of pairs, their products, the order of beats."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from golden.exact.counter_fp16 import BINS, main_sums
from golden.exact.fp16 import to_bits
from golden.exact.spec import A_FRACTION_BITS, IntArray
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from sim.kit.lookups import CODES, entry, random_row, table_row


def bin_numbers(spec: CounterSpec, activations: IntArray, weights: IntArray) -> IntArray:
    """Return the bin of each pair of codes."""
    if spec.folded:
        return (activations % 8) * CODES + (weights ^ (activations & 8))
    return activations * CODES + weights


def random_table(rng: np.random.Generator, spec: CounterSpec) -> list[Any]:
    """Return a product table as it stands on a port."""
    if isinstance(spec, Fp16CounterSpec):
        return to_bits(rng.normal(size=BINS) * 2.0 ** rng.integers(-12, 3)).tolist()
    return [random_row(rng, spec)["entries"] for _ in range(spec.entries)]


def products(spec: CounterSpec, table: Sequence[Sequence[int]]) -> IntArray:
    """Return the product of each bin, an integer or an FP16 pattern."""
    if isinstance(spec, Fp16CounterSpec):
        return np.array(table)
    pairs = (divmod(number, CODES) for number in range(spec.bins))
    return np.array([entry(spec, table_row(spec, table, i), j) for i, j in pairs])


def channel_sums(spec: CounterSpec, values: IntArray, bins: IntArray) -> IntArray:
    """Return the sum of the products of each channel's bins, which are on the last axis."""
    if not isinstance(spec, Fp16CounterSpec):
        return values[bins].sum(axis=-1)
    counts = (bins[..., None] == np.arange(BINS)).sum(axis=-2)
    return main_sums(counts, values.reshape(CODES, CODES).astype(np.uint16)).astype(np.int64)


def entry_slice(spec: CounterSpec, values: IntArray, step: int) -> dict[str, int]:
    """Return the ports ``entries`` of a slice."""
    lanes = spec.tree_lanes
    offset = 0 if isinstance(spec, Fp16CounterSpec) else 1 << spec.numbers.magnitude_bits
    chosen = values[step * lanes : (step + 1) * lanes] + offset
    return {f"entries__{n}": int(value) for n, value in enumerate(chosen)}


def split_counts(spec: CounterSpec, counts: IntArray, rng: np.random.Generator) -> IntArray:
    """Return counts of 0 to ``counter_inputs`` in two parts, as a counter gives them."""
    inputs = spec.counter_inputs
    last = np.where(counts == inputs, 1, (counts > 0) & (rng.random(counts.shape) < 0.5))
    return counts - last + last * inputs


def counting_beats(spec: CounterSpec, shape: dict[str, int]) -> Iterator[dict[str, int]]:
    """Yield one token's beats in their order, as ``spec.counting_beat``."""
    tiles = spec.tiles(shape["outputs"])
    beats = -(-shape["inputs"] // spec.pairs)
    for tile in range(tiles):
        for address in range(beats):
            last = address == beats - 1
            yield {
                "tile": tile,
                "address": address,
                "first": int(address == 0),
                "last": int(last),
                "token_last": int(last and tile == tiles - 1),
            }


def compensation_beats(spec: CounterSpec, shape: dict[str, int]) -> Iterator[dict[str, int]]:
    """Yield one token's beats in their order, as ``spec.compensation_beat``."""
    tiles, outliers = spec.tiles(shape["outputs"]), 2 * shape["k_top"]
    groups = -(-shape["outputs"] // spec.group_channels)
    for group in range(groups):
        for address in range(outliers):
            last = address == outliers - 1
            left = tiles - group * spec.compensation_macs
            yield {
                "group": group,
                "address": address,
                "tiles": min(left, spec.compensation_macs),
                "first": int(address == 0),
                "last": int(last),
                "token_last": int(last and group == groups - 1),
            }


def fitting_residuals(
    rng: np.random.Generator, spec: CounterSpec, centroid: int, shape: tuple[int, ...]
) -> IntArray:
    """Return magnitudes of residuals whose products with a centroid fit, small ones and large."""
    unit = A_FRACTION_BITS + spec.numbers.w_fraction_bits
    most = (spec.numbers.residual_max(spec.inputs_max) << unit) // max(int(centroid), 1)
    most = min(most, (1 << (spec.ratio_bits + 1)) - 1)
    some = rng.integers(0, most, shape, endpoint=True) >> rng.integers(
        most.bit_length(), size=shape
    )
    return np.where(rng.random(shape) < 0.1, most, some)
