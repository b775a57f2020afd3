"""All outlier engines on the same vectors: cycles, gates and comparisons side by side."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gateware.design import Design
from gateware.outlier_engines import comparisons
from golden.exact.fp16 import BitArray
from sim.outliers.orizuru_run import run_engine

MeasureArea = Callable[[str], dict[str, Any]]


@dataclass
class Row:
    """One engine.

    Parameters
    ----------
    design : Design
        Its design point.
    cycles : dict of str to dict
        For each kind of vectors ``mean`` and ``worst``: cycles from a vector's first beat until
        both sides have offered an outlier, and ``to_last``, the mean until all have been taken.
    mismatches : int
        Outliers that differ from the stable sort's; all must be 0.
    area : dict or None
        As :func:`synth.area.area.as_json` has it.
    """

    design: Design
    cycles: dict[str, dict[str, float]] = field(default_factory=dict)
    mismatches: int = 0
    area: dict[str, Any] | None = None

    def figures(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""
        typical = self.cycles.get("random") or next(iter(self.cycles.values()))
        made, is_exact = comparisons(self.design, typical["mean"])
        figures: dict[str, Any] = {
            "design": self.design.name,
            "engine": self.design.parameters["engine"],
            "N": self.design.spec.inputs_max,
            "k": self.design.spec.outliers_max,
            "values_per_beat": self.design.spec.values_per_beat,
            "cycles": self.cycles,
            "mismatches": self.mismatches,
            "comparisons": made,
            "comparisons_exact": is_exact,
        }
        for name in ("ge", "delay_fo4", "memory_bits", "flip_flops", "library"):
            figures[name] = self.area[name] if self.area else None
        return figures


def simulate_kinds(row: Row, kinds: dict[str, BitArray], simulator: str) -> None:
    """Run an engine on vectors of each kind, all in one simulation."""
    engine, spec = str(row.design.parameters["engine"]), row.design.spec
    k, lanes = spec.outliers_max, spec.values_per_beat
    x = np.concatenate([vectors[:, : spec.inputs_max] for vectors in kinds.values()])
    run = run_engine(engine, x, k, lanes, simulator=simulator)
    row.mismatches = run.mismatches(x)
    start = 0
    for kind, vectors in kinds.items():
        part = slice(start, start + len(vectors))
        row.cycles[kind] = {
            "mean": float(run.cycles[part].mean()),
            "worst": int(run.cycles[part].max()),
            "to_last": float(run.drained[part].mean()),
        }
        start += len(vectors)


def compare(
    designs: list[Design],
    kinds: dict[str, BitArray],
    *,
    simulator: str,
    measure_area: MeasureArea | None,
    progress: Callable[..., None],
) -> list[Row]:
    """Return a row for each design.

    Raises
    ------
    golden.base.errors.ToolError
        If a simulation or synthesis fails.
    """
    rows = []
    for n, design in enumerate(designs):
        row = Row(design)
        progress(f"{design.name} on {simulator}", n / len(designs))
        simulate_kinds(row, kinds, simulator)
        if measure_area:
            progress(f"area of {design.name}", (n + 0.5) / len(designs))
            row.area = measure_area(design.name)
        rows.append(row)
    return rows
