"""What the lookup blocks should do: rows, the entries that codes pick, the order of beats."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from golden.exact.grid import made_rows
from golden.exact.spec import GRID_MAX
from hw.engine_spec import EngineSpec

CODES = 16


def random_row(rng: np.random.Generator, spec: EngineSpec) -> dict[str, Any]:
    """Return a row as a struct; a quarter have the largest entries only."""
    most = spec.numbers.entry_max
    low = 0 if spec.numbers.symmetric else -most
    entries = rng.integers(low, most, spec.entries, endpoint=True)
    if rng.random() < 0.25:
        entries = rng.choice([low, most]) * np.ones(spec.entries, np.int64)
    row: dict[str, Any] = {"entries": entries.tolist()}
    if spec.numbers.symmetric:
        row["sign"] = int(rng.integers(2))
    return row


def entry(spec: EngineSpec, row: dict[str, Any], code: int) -> int:
    """Return what a weight code picks from a row."""
    if not spec.numbers.symmetric:
        return row["entries"][code]
    value = row["entries"][code % 8]
    return -value if row["sign"] != code // 8 else value


def whole(spec: EngineSpec, part: dict[str, int]) -> int:
    """Return a lane's sum with its carry."""
    return wrapped(part["sum"] + (part["carry"] << spec.carry_place), spec.sum_bits)


def wrapped(total: Any, bits: int) -> Any:
    """Return what an accumulator has of a sum: random rows can exceed those of any token."""
    half = 1 << (bits - 1)
    return (total + half) % (2 * half) - half


def table_row(spec: EngineSpec, table: Sequence[Sequence[int]], code: int) -> dict[str, Any]:
    """Return the row that an activation's code picks from the product table."""
    if spec.numbers.symmetric:
        sign, level = divmod(code, spec.levels)
        return {"entries": table[level], "sign": sign}
    return {"entries": table[code]}


def made_row(spec: EngineSpec, centroids: Sequence[int], code: int) -> dict[str, Any]:
    """Return the row that is made of an activation's code and the weight centroids."""
    sign, magnitude = divmod(code, GRID_MAX + 1)
    entries = made_rows(np.array(centroids))[GRID_MAX + magnitude]
    if spec.numbers.symmetric:
        return {"entries": entries.tolist(), "sign": sign}
    return {"entries": (-entries if sign else entries).tolist()}


def beats(
    spec: EngineSpec, *, inputs: int, outputs: int, k_top: int, digits: int
) -> Iterator[dict[str, int]]:
    """Yield one token's beats in their order, as ``spec.beat``."""
    lanes = spec.inputs_per_beat
    tiles = -(-outputs // spec.output_lanes)
    for tile in range(tiles):
        main = [(0, address, 0, inputs) for address in range(-(-inputs // lanes))]
        groups = [
            (1, address, digit, 2 * k_top)
            for address in range(-(-2 * k_top // lanes))
            for digit in range(digits)
        ]
        steps = main + groups
        for n, (compensation, address, digit, length) in enumerate(steps):
            used = min(lanes, length - address * lanes)
            last = n == len(steps) - 1
            yield {
                "tile": tile,
                "compensation": compensation,
                "address": address,
                "digit": digit,
                "mask": (1 << used) - 1,
                "first": int(n == 0),
                "last": int(last),
                "done": int(last and tile == tiles - 1),
            }


def random_shape(rng: np.random.Generator, spec: EngineSpec, *, least: int = 0) -> dict[str, int]:
    """Return the size of a layer, with ``least`` outliers a side or more, as it is on a port."""
    inputs = int(rng.integers(1, spec.inputs_max, endpoint=True))
    return {
        "inputs": inputs,
        "outputs": int(rng.integers(1, spec.outputs_max, endpoint=True)),
        "k_top": int(rng.integers(least, min(inputs, spec.outliers_max), endpoint=True)),
        "last_centroid": spec.levels - 1,
        "digits": int(rng.integers(1, spec.residual_digits, endpoint=True)),
    }


def token_beats(spec: EngineSpec, shape: dict[str, int]) -> list[dict[str, int]]:
    """Return one token's beats in a layer of ``shape``."""
    sizes = {name: shape[name] for name in ("inputs", "outputs", "k_top", "digits")}
    return list(beats(spec, **sizes))
