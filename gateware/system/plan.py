"""Which lookup chip is best for a model, a memory and an area: all of a grid, reckoned."""

from collections.abc import Iterator
from itertools import product
from typing import Any

from gateware.system.designs import CLOCK, Chip, lookup_chip
from gateware.system.energies import array_ge
from gateware.system.estimate import Phase, estimate
from golden.base.errors import InputError
from golden.system.memories import Memory
from golden.system.shapes import ModelShape

INPUTS, LANES, ENGINES = (16, 32, 64), (16, 32, 64, 128, 256), (1, 2, 4, 8)
# Beside array and output stage chip_edge takes 143 kGE (docs/chip.md). Supposed for each engine.
BESIDE_MGE = 0.143


def chip_mge(chip: Chip) -> float:
    """Return what a chip takes, in millions of gate equivalents, memories apart."""
    return chip.products * array_ge(chip.energy) / 1e6 + chip.engines * BESIDE_MGE


def plan(
    model: ModelShape,
    memory: Memory,
    phase: Phase,
    mge: float,
    *,
    bits_a: int = 8,
    outliers: float = 1.0,
    clock: float = CLOCK,
) -> list[dict[str, Any]]:
    """Return the chips that fit an area, the fastest first; of equal ones the smaller.

    Parameters
    ----------
    model, memory, phase
        As for :func:`gateware.system.estimate.estimate`.
    mge : float
        Most that array and what stands beside it may take, in millions of gate equivalents.
    bits_a, outliers, clock
        As there.

    Raises
    ------
    InputError
        If none fits.
    """
    rows = []
    for inputs, lanes, engines in product(INPUTS, LANES, ENGINES):
        chip = lookup_chip(f"{engines} x {inputs} x {lanes}", bits_a, inputs, lanes, engines)
        if chip_mge(chip) > mge:
            continue
        one = estimate(model, chip, memory, phase, outliers=outliers, clock=clock)
        rows.append(
            {
                "inputs_per_beat": inputs,
                "output_lanes": lanes,
                "engines": engines,
                "products": chip.products,
                "mge": chip_mge(chip),
                "bus_bytes": chip.products // 2,
                "tokens_per_second": one.tokens_per_second,
                "one_by_one": one.one_by_one,
                "whole_mj": one.whole_mj,
                "bound": one.bound,
            }
        )
    if not rows:
        least = min(_areas(bits_a))
        raise InputError(f"no chip fits --area {mge:g}: the smallest takes {least:.2f} MGE")
    rows.sort(key=lambda row: (-row["tokens_per_second"], row["mge"]))
    best = float("inf")
    for row in rows:  # none that is faster is as small
        row["pareto"] = row["mge"] < best
        best = min(best, row["mge"])
    return rows


def _areas(bits_a: int) -> Iterator[float]:
    yield chip_mge(lookup_chip("smallest", bits_a, INPUTS[0], LANES[0], ENGINES[0]))


def sweep_text(row: dict[str, Any], bits_a: int) -> str:
    """Return the TOML of a sweep that builds and measures an engine of a chip."""
    form = "" if bits_a == 4 else f"_a{bits_a}"
    return (
        f'base = "minilm{form}_symmetric"\n\n[grid]\n'
        f"inputs_per_beat = [{row['inputs_per_beat']}]\n"
        f"output_lanes = [{row['output_lanes']}]\n"
        f"scale_lanes = [{row['output_lanes'] // 4}]\n"
    )
