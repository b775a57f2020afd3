"""Which lookup chip is best for a model, a memory and an area: all of a grid, reckoned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from gateware.system.designs import CLOCK, INPUTS_MOST, Chip, lookup_chip
from gateware.system.energies import array_ge
from gateware.system.estimate import Phase, estimate
from golden.base.errors import InputError
from golden.system.memories import Memory
from golden.system.shapes import ModelShape

INPUTS, LANES, ENGINES = (16, 32, 64), (16, 32, 64, 128, 256), (1, 2, 4, 8)
ENGINES_MOST = 64
# What a lookup engine may have: powers of two up to these.
SIZES_MOST = {"inputs": (2, 64), "lanes": (4, 256)}
# Beside array and output stage chip_edge takes 143 kGE (docs/chip.md). Supposed for each engine.
BESIDE_MGE = 0.143
CODE_BITS = 4


@dataclass(frozen=True, kw_only=True)
class Form:
    """A lookup engine: bits of an activation, input and output lanes."""

    bits: int
    inputs: int
    lanes: int

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.inputs} x {self.lanes}, A{self.bits}"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What chips are planned for: as for :func:`gateware.system.estimate.estimate`."""

    model: ModelShape
    memory: Memory
    phase: Phase
    outliers: float = 1.0
    clock: float = CLOCK


def grid(
    bits: Sequence[int] = (8,), inputs: Sequence[int] = (), lanes: Sequence[int] = ()
) -> list[Form]:
    """Return the engines of a grid, all combinations.

    Raises
    ------
    InputError
        If there can be no such engine.
    """
    for what, values in (("inputs", inputs), ("lanes", lanes)):
        low, high = SIZES_MOST[what]
        for value in values:
            if value.bit_count() != 1 or not low <= value <= high:
                said = f"powers of two from {low} to {high}"
                raise InputError(f"--{what} takes {said}, got {value}")
    for value in bits:
        if value not in (4, 5, 8):
            raise InputError(f"--bits-a must be 4, 5 or 8, got {value}")
    found = product(dict.fromkeys(bits), inputs or INPUTS, lanes or LANES)
    return [Form(bits=a, inputs=i, lanes=n) for a, i, n in found]


def require_engines(engines: Sequence[int]) -> None:
    """Raise InputError if chips cannot have so many engines side by side."""
    for value in engines:
        if not 1 <= value <= ENGINES_MOST:
            raise InputError(f"--engines takes numbers from 1 to {ENGINES_MOST}, got {value}")


def chip_mge(chip: Chip) -> float:
    """Return what a chip takes, in millions of gate equivalents, memories apart."""
    return chip.products * array_ge(chip.energy) / 1e6 + chip.engines * BESIDE_MGE


def buffer_kbit(form: Form, longest: int) -> float:
    """Return the tile buffer of an engine: two tiles of the longest layer."""
    return 2 * min(longest, INPUTS_MOST) * form.lanes * CODE_BITS / 1024


def rows_of(form: Form, question: Question, engines: Sequence[int]) -> list[dict[str, Any]]:
    """Return the chips with so many of an engine, each with all that is known of it."""
    return [_row(form, question, count) for count in engines]


def _row(form: Form, question: Question, engines: int) -> dict[str, Any]:
    name = f"{engines} x {form.inputs} x {form.lanes}"
    chip = lookup_chip(name, form.bits, form.inputs, form.lanes, engines)
    asked, model = question, question.model
    one = estimate(
        model, chip, asked.memory, asked.phase, outliers=asked.outliers, clock=asked.clock
    )
    longest = max([asked.phase.context, *(linear.inputs for linear in model.linears())])
    return {
        "inputs_per_beat": form.inputs,
        "output_lanes": form.lanes,
        "engines": engines,
        "bits_a": form.bits,
        "products": chip.products,
        "mge": chip_mge(chip),
        "buffer_kbit": engines * buffer_kbit(form, longest),
        "bus_bytes": chip.products // 2,
        "tokens_per_second": one.tokens_per_second,
        "one_by_one": one.one_by_one,
        "whole_mj": one.whole_mj,
        "bound": one.bound,
    }


def best(rows: Sequence[dict[str, Any]], mge: float) -> list[dict[str, Any]]:
    """Return the chips that fit an area, the fastest first; of equal ones the smaller.

    Parameters
    ----------
    rows : sequence of dict
        From :func:`rows_of`, in any order.
    mge : float
        Most that array and what stands beside it may take, in millions of gate equivalents.

    Raises
    ------
    InputError
        If none fits.
    """
    fitting = [row for row in rows if row["mge"] <= mge]
    if not fitting:
        least = min(row["mge"] for row in rows)
        raise InputError(f"no chip fits --area {mge:g}: the smallest takes {least:.2f} MGE")
    fitting.sort(key=_order)
    return [row | {"pareto": front} for row, front in zip(fitting, _front(fitting), strict=True)]


def _order(row: dict[str, Any]) -> tuple[float, ...]:
    """Return what rows are sorted by: always the same order, wherever they were reckoned."""
    sizes = (row["bits_a"], row["inputs_per_beat"], row["output_lanes"], row["engines"])
    return -row["tokens_per_second"], row["mge"], *sizes


def _front(rows: Sequence[dict[str, Any]]) -> Iterator[bool]:
    """Yield of each chip whether none that is faster is as small."""
    least = float("inf")
    for row in rows:
        yield row["mge"] < least
        least = min(least, row["mge"])


def sweep_text(row: dict[str, Any]) -> str:
    """Return the TOML of a sweep that builds and measures an engine of a chip."""
    form = "" if row["bits_a"] == 4 else f"_a{row['bits_a']}"
    return (
        f'base = "minilm{form}_symmetric"\n\n[grid]\n'
        f"inputs_per_beat = [{row['inputs_per_beat']}]\n"
        f"output_lanes = [{row['output_lanes']}]\n"
        f"scale_lanes = [{row['output_lanes'] // 4}]\n"
    )
