"""Complete linear engines side by side: gates, memories, delay, cycles, energy, limits."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gateware.engines.kinds import engine
from synth.area.area import Area

if TYPE_CHECKING:
    from gateware.design import Design

# A layer that every engine takes, for cycles that can be compared: K, N, outliers on each side.
LAYER = (64, 64, 1)
COLUMNS = {
    "design": "design",
    "products": "products a cycle",
    "kge": "kGE",
    "memory_kbit": "memory Kbit",
    "fo4": "FO4",
    "interval": "cycles a token",
    "latency": "latency",
    "pj": "pJ a product",
    "most": "K, N, outliers at most",
}


def engine_figures(
    designs: Sequence["Design"], areas: Sequence[Area], energies: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return what each engine takes, ready for JSON.

    Parameters
    ----------
    designs : sequence of Design
        Linear engines.
    areas : sequence of Area
        Theirs, in the same order.
    energies : mapping of str to float
        pJ per product of those that were measured, by name.
    """
    rows = []
    for design, area in zip(designs, areas, strict=True):
        contract = engine(design.spec)
        cycles = contract.cycles(*LAYER)
        rows.append(
            {
                "design": design.name,
                "about": design.about,
                "products": contract.multiply_accumulates,
                "ge": area.ge,
                "memory_bits": area.memory_bits,
                "fo4": area.delay_fo4,
                "library": area.library,
                "layer": dict(zip(("inputs", "outputs", "k_top"), LAYER, strict=True)),
                "interval": cycles.interval,
                "latency": cycles.latency,
                "pj": energies.get(design.name),
                "inputs_max": design.spec.inputs_max,
                "outputs_max": design.spec.outputs_max,
                "outliers_max": design.spec.outliers_max,
            }
        )
    return rows


def engine_cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of an engine's line, in the order of :data:`COLUMNS`."""
    pj = row["pj"]
    return [
        row["design"],
        str(row["products"]),
        f"{row['ge'] / 1000:.1f}",
        f"{row['memory_bits'] / 1024:.1f}",
        f"{row['fo4']:.1f}",
        str(row["interval"]),
        str(row["latency"]),
        "" if pj is None else f"{pj:.0f}",
        f"{row['inputs_max']}, {row['outputs_max']}, {row['outliers_max']}",
    ]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the engines as a table in Markdown, as README.md shows it."""
    lines = [list(COLUMNS.values()), ["---", *["---:"] * (len(COLUMNS) - 1)]]
    lines += [[f"`{cells[0]}`", *cells[1:]] for cells in map(engine_cells, rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
