"""Roofline: what memory and array let a design do, and where models stand below that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateware.system.designs import chips
from gateware.system.estimate import Estimate
from golden.base.files import save_figure
from golden.system.memories import MEMORIES

COLOURS = ("#1f4e79", "#5b9bd5", "#b5651d", "#4f8f4f", "#8a6d9e", "#777777")


def draw(found: Sequence[Estimate], memory: str, clock: float, path: Path) -> None:
    """Draw products a second over products a byte: each design's roof, and a dot for an estimate.

    Parameters
    ----------
    found : sequence of Estimate
    memory : str
        A name in :data:`golden.system.memories.MEMORIES`.
    clock : float
        Of the chip, in Hz.
    path : Path
    """
    from matplotlib.figure import Figure

    streamed = MEMORIES[memory].streamed
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log")
    for colour, (name, chip) in zip(COLOURS, chips().items(), strict=True):
        ours = [one for one in found if one.design == name]
        if not ours:
            continue
        top, ends = chip.products * clock, (0.25, 256.0)
        knee = top / streamed
        axes.plot((ends[0], knee, ends[1]), (ends[0] * streamed, top, top), color=colour, lw=1)
        place = [one.products / one.bytes for one in ours]
        rate = [one.products_per_token * one.tokens_per_second for one in ours]
        axes.plot(place, rate, "o", color=colour, label=name, ms=5)
    axes.set_xlabel("products for each byte from memory")
    axes.set_ylabel("products a second")
    axes.set_title(f"{found[0].phase}, {MEMORIES[memory].name}", fontsize="small")
    axes.grid(which="both", alpha=0.2)
    axes.legend(fontsize="small")
    save_figure(figure, path)


def draw_plan(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw tokens per second over gates, and the line of those that no smaller chip equals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xscale="log")
    axes.plot(
        [r["mge"] for r in rows], [r["tokens_per_second"] for r in rows], ".", color="#9bbcd9"
    )
    best = [row for row in rows if row["pareto"]]
    front = [row["mge"] for row in best], [row["tokens_per_second"] for row in best]
    axes.plot(*front, "o-", color=COLOURS[0], ms=4)
    for row in best:
        label = f"{row['engines']} x {row['inputs_per_beat']} x {row['output_lanes']}"
        axes.annotate(label, (row["mge"], row["tokens_per_second"]), fontsize=6)
    axes.set_xlabel("MGE, without memories")
    axes.set_ylabel("tokens/s")
    axes.grid(alpha=0.2)
    save_figure(figure, path)
