"""Chips beside GPUs at one bandwidth and clock, and a table of many models."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gateware.system.designs import CLOCK, chips
from gateware.system.energies import array_ge
from gateware.system.estimate import Estimate, Phase, estimate
from golden.system.memories import HBM2_DEAR, MEMORIES, Memory
from golden.system.published import (
    CONTEXT,
    MODEL,
    PAPER_EFFICIENCY,
    PAPER_SPEED,
    PAPER_WATTS,
    beside,
)
from golden.system.shapes import MODELS, ModelShape

MEMORY = "hbm2x8"
PROMPT = 1024
COLUMNS = {
    "name": "LLaMA-2-7B, one text, context 1024",
    "speed": "tokens/s",
    "per_terabyte": "tokens/s for each TB/s",
    "one_by_one": "tokens/s, one layer after another",
    "chip_mj": "mJ, chip",
    "whole_mj": "mJ, chip and DRAM",
    "dear_mj": "mJ, DRAM at 7 pJ/bit",
    "mge": "array, MGE",
    "prompt": "prompt, tokens/s for each MGE",
    "error": "error of a layer",
}
# Errors of one layer of MiniLM relative to its outputs, as docs/areas.md has them.
ERRORS = {"lookup": 0.123, "lookup x4": 0.123, "counter": 0.101, "int4": 0.258}
# The whole table: large models, and designs that are one of a kind.
LARGE = tuple(name for name, model in MODELS.items() if model.weights > 1e9)
FIVE = ("lookup", "counter", "int4", "int8", "fp16")
KEPT = (
    *("model", "design", "memory", "phase", "tokens_per_second", "one_by_one", "bound"),
    *("array_mj", "sram_mj", "dram_mj", "chip_mj", "whole_mj"),
)
PHASES = (
    Phase(context=PROMPT, prefill=True),
    Phase(context=CONTEXT),
    Phase(context=CONTEXT, batch=16),
)


def table(
    models: Sequence[ModelShape],
    names: Sequence[str],
    memory: Memory,
    phases: Sequence[Phase],
    *,
    bits_a: int = 8,
    outliers: float = 1.0,
    clock: float = CLOCK,
) -> Iterator[Estimate]:
    """Yield the estimate of each model, phase and design."""
    found = chips(bits_a)
    for model in models:
        for phase in phases:
            for name in names:
                chip = found[name]
                yield estimate(model, chip, memory, phase, outliers=outliers, clock=clock)


def whole_table() -> list[dict[str, Any]]:
    """Return what becomes of all large models, in three phases, on five designs."""
    models = [MODELS[name] for name in LARGE]
    found = table(models, FIVE, MEMORIES[MEMORY], PHASES)
    return [{key: one.as_json()[key] for key in KEPT} for one in found]


def speed_and_energy(row: dict[str, Any]) -> str:
    """Return what a cell of that table shows: tokens a second, and mJ of a token."""
    pair = row["tokens_per_second"], row["whole_mj"]
    return ", ".join(f"{n:.0f}" if n >= 100 else f"{n:.3g}" for n in pair)


def whole_markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return that table's tokens after others, one text, in Markdown: a line for each model."""
    lines = [["tokens/s, mJ a token", *FIVE], ["---", *["---:"] * len(FIVE)]]
    for model in LARGE:
        ours = [r for r in rows if (r["model"], r["phase"]) == (model, PHASES[1].name)]
        lines.append([model, *map(speed_and_energy, ours)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def side_by_side() -> list[dict[str, Any]]:
    """Return the rows of the comparison: our designs, FIGLUT, then GPUs."""
    memory, model, rows = MEMORIES[MEMORY], MODELS[MODEL], []
    dear = replace(memory, pj_per_bit=HBM2_DEAR)
    for name, chip in chips().items():
        prompt, one = (estimate(model, chip, memory, phase) for phase in PHASES[:2])
        mge = chip.products * array_ge(chip.energy) / 1e6
        rows.append(
            {
                "name": name,
                "speed": one.tokens_per_second,
                "per_terabyte": one.tokens_per_second / memory.bytes_per_second * 1e12,
                "one_by_one": one.one_by_one,
                "chip_mj": one.chip_mj,
                "whole_mj": one.whole_mj,
                "dear_mj": estimate(model, chip, dear, PHASES[1]).whole_mj,
                "mge": mge,
                "prompt": prompt.tokens_per_second / mge,
                "error": ERRORS.get(name),
            }
        )
    nothing = dict.fromkeys(COLUMNS)
    figlut = 617 / PAPER_SPEED["FIGLUT"]
    rows.append(
        nothing
        | {
            "name": "FIGLUT, as KLLM's paper has it",
            "speed": figlut,
            "per_terabyte": figlut / memory.bytes_per_second * 1e12,
            "chip_mj": figlut_watts() / figlut * 1e3,
        }
    )
    for peer in beside():
        rows.append(
            nothing
            | {
                "name": peer.name,
                "speed": peer.tokens_per_second,
                "per_terabyte": peer.per_terabyte,
                "whole_mj": None if peer.joules is None else peer.joules * 1e3,
                "bound": peer.bound,
                "gpu": True,
            }
        )
    return rows


def figlut_watts() -> float:
    """Return the power that the paper's two ratios give FIGLUT."""
    return PAPER_WATTS * PAPER_EFFICIENCY["FIGLUT"] / PAPER_SPEED["FIGLUT"]


def goals(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return by how much each of our lookup chips is ahead of the better GPU with int4."""
    gpus = [row for row in rows if row.get("gpu") and "int4" in row["name"]]
    fast = max(row["per_terabyte"] for row in gpus)
    lean = min(row["whole_mj"] for row in gpus)
    return [
        {
            "name": row["name"],
            "speed": row["per_terabyte"] / fast,
            "one_by_one": row["one_by_one"] / row["speed"] * row["per_terabyte"] / fast,
            "joules": lean / row["whole_mj"],
            "joules_dear": lean / row["dear_mj"],
        }
        for row in rows
        if row["name"].startswith("lookup")
    ]


def cells(row: dict[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`COLUMNS`."""
    places = {"chip_mj": 1, "mge": 2, "prompt": 0, "speed": 0, "per_terabyte": 0, "one_by_one": 0}
    shown = [row["name"]]
    for key in list(COLUMNS)[1:]:
        value = row[key]
        if value is None:
            shown.append("")
        elif key == "error":
            shown.append(f"{value:.1%}")
        else:
            sign = "≤ " if key == "whole_mj" and row.get("bound") else ""
            shown.append(f"{sign}{value:.{places.get(key, 0)}f}")
    return shown


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table in Markdown."""
    lines = [list(COLUMNS.values()), ["---"] + ["---:"] * (len(COLUMNS) - 1), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
