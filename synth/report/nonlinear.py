"""What nonlinear operations take: on indices, in FP16, and as others publish them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateware.design import Design
from gateware.points import point
from hw.stream.share import looked_at
from hw.token.clustering_unit import ClusteringUnit
from hw.vector.function_unit import FunctionUnit
from hw.vector.largest import Largest
from synth.area.area import Area
from synth.libraries.liberty import Library
from synth.power.part_energy import row_energy
from synth.report.nonlinear_rows import rows

LANES = 16
ROW = 256  # elements, for cycles and energies
BEATS = ROW // LANES
MAC = "fp16_fma_pipelined"
COLUMNS = {
    "operation": "16 elements a cycle",
    "form": "form",
    "parts": "made of",
    "kge": "kGE",
    "macs": "FP16 MACs",
    "fo4": "FO4",
    "cycles": "cycles a row of 256",
    "pj": "pJ an element",
}
Part = tuple[int, Design]


@dataclass(frozen=True)
class Form:
    """A way to do an operation, with the parts that do it.

    Parameters
    ----------
    operation, name : str
    parts : tuple of (int, Design)
        How many of each.
    cycles : int, optional
        From the first elements of a row of 256 to the last result.
    lanes : int
        Elements a cycle.
    """

    operation: str
    name: str
    parts: tuple[Part, ...]
    cycles: int | None = None
    lanes: int = LANES


# Figures of others, not measured by this command: the sources stand in docs/nonlinear.md.
PUBLISHED: tuple[dict[str, Any], ...] = (
    {"operation": "softmax", "form": "ITA, integers of 8 bits", "ge": 48439},
    {"operation": "GELU, one lane", "form": "ITA, integers of 8 bits", "ge": 4820},
    {"operation": "all, any rate", "form": "KLLM's functional unit", "macs": 318},
)


def forms() -> tuple[Form, ...]:
    """Return the operations in both forms."""
    beats = BEATS
    softmax, squares, mapped = (
        point(f"index_{kind}") for kind in ("softmax", "mean_square", "map")
    )
    exp, sigmoid = (
        Design(f"function_unit_{kind}", partial(FunctionUnit, (kind,)))
        for kind in ("exp", "sigmoid")
    )
    gelu = point("function_unit_gelu")
    clustering = Design("clustering_unit", partial(ClusteringUnit, 4, symmetric=False))
    largest = Design("largest_16", partial(Largest, LANES))
    add, multiply = point("fp16_add_pipelined"), point("fp16_multiply_pipelined")
    sum_of = point(f"square_sum_l{LANES}")
    powers = point("power_sum_l16")
    return (
        Form("softmax", "indices", ((1, softmax),), 2 * beats + _latency(softmax)),
        Form(
            "softmax",
            "FP16",
            ((1, largest), (LANES, add), (LANES, exp), (1, powers)),
            2 * beats + sum(map(_latency, (largest, add, exp))),
        ),
        Form("SiLU", "indices that are there", ((1, mapped),), beats + _latency(mapped)),
        Form(
            "SiLU",
            "indices to be found",
            ((1, mapped), (LANES, clustering)),
            beats + _latency(mapped),
        ),
        Form(
            "SiLU",
            "FP16",
            ((LANES, sigmoid), (LANES, multiply)),
            beats + _latency(sigmoid) + _latency(multiply),
        ),
        Form("mean square", "indices", ((1, squares),), beats + _latency(squares)),
        Form("mean square", "FP16", ((1, sum_of),), beats + _latency(sum_of)),
        Form("GELU, one lane", "FP16", ((1, gelu),), ROW + _latency(gelu), lanes=1),
    )


def _latency(design: Design) -> int:
    block = looked_at(design.make())
    return getattr(block, "LATENCY", getattr(block, "latency", 0))


def designs(found: Sequence[Form]) -> list[Design]:
    """Return all parts, and the FP16 MAC that areas are compared with."""
    return [point(MAC), *(design for form in found for _, design in form.parts)]


def energies(
    parts: Sequence[Design], areas: Mapping[str, Area], library: Library, say: Callable[[str], None]
) -> dict[str, float]:
    """Return the energy of a row in each part that has a clock, by name, in pJ.

    Parameters
    ----------
    parts : sequence of Design
    areas : mapping of str to Area
        For the clock period: each part's longest path.
    library : Library
        Its cells.
    say : callable
        Told of each part.
    """
    found = {}
    for part in parts:
        made = rows(part.name, LANES, BEATS)
        if made is not None:
            say(f"energy of {part.name}")
            total = row_energy(part, made, library, areas[part.name].delay_ps).total
            found[part.name] = total / (len(made) - 1)
    return found


def bill(
    found: Sequence[Form], areas: Mapping[str, Area], row_pj: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Return the rows of the table, ready for JSON.

    Parameters
    ----------
    found : sequence of Form
    areas : mapping of str to Area
        Of the parts and of ``MAC``, by name.
    row_pj : mapping of str to float
        From :func:`energies`.
    """
    mac, rows = areas[MAC].ge, []
    for form in found:
        ge = sum(count * areas[design.name].ge for count, design in form.parts)
        delays = [areas[design.name].delay_fo4 for _, design in form.parts]
        taken = [count * row_pj.get(design.name, math.nan) for count, design in form.parts]
        element = sum(taken) / (form.lanes * BEATS)
        rows.append(
            {
                "operation": form.operation,
                "form": form.name,
                "parts": [[count, design.name] for count, design in form.parts],
                "ge": ge,
                "macs": ge / mac,
                "fo4": max(delays),
                "cycles": form.cycles,
                "pj": None if math.isnan(element) else element,
            }
        )
    published = [
        {"parts": [], "fo4": None, "cycles": None, "ge": None, "macs": None, "pj": None} | dict(row)
        for row in PUBLISHED
    ]
    return rows + published


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`COLUMNS`."""
    parts = [f"{count} x {name}" if count > 1 else name for count, name in row["parts"]]
    numbers = [
        "" if row["ge"] is None else f"{row['ge'] / 1000:.1f}",
        "" if row["macs"] is None else f"{row['macs']:.1f}",
        "" if row["fo4"] is None else f"{row['fo4']:.0f}",
        "" if row["cycles"] is None else str(row["cycles"]),
        "" if row["pj"] is None else f"{row['pj']:.0f}",
    ]
    return [row["operation"], row["form"], ", ".join(parts), *numbers]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table in Markdown, as docs/nonlinear.md has it."""
    lines = [list(COLUMNS.values()), ["---"] * 3 + ["---:"] * 5, *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
