"""What ``kllm report`` says: one set of data for the page, for JSON and for Markdown."""

import datetime
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from golden.base.errors import InputError
from hw.stream.word_memory import MACRO_BITS
from synth.area.area import Area, as_json
from synth.area.measure import Progress, measure_all
from synth.area.tables import caption
from synth.libraries.liberty import Library

if TYPE_CHECKING:
    from gateware.design import Design

COLUMNS = {
    "design": "design",
    "ge": "GE",
    "area": "area",
    "flip_flops": "FFs",
    "memory_bits": "memory bits",
    "delay_ps": "delay ps",
    "delay_fo4": "FO4",
    "products": "products/cycle",
}
PAPER = dict(unit="unit", design="ours", ge="GE", ratio="ratio", paper_ratio="paper's")


def products_per_cycle(design: "Design") -> int:
    """Return how many products an engine, an array or a lane makes in a cycle; 0 of all else."""
    from gateware.engines.kinds import engine, is_engine
    from gateware.points.baseline import make_array
    from hw.baseline.lanes import make_lane
    from hw.baseline.scaled_array import ScaledArray

    kind, spec = design.kind, design.spec
    if kind is make_lane:
        return spec.inputs_per_beat
    if is_engine(design):
        return engine(spec).multiply_accumulates
    if kind in (make_array, ScaledArray):
        return spec.inputs_per_beat * spec.output_lanes
    return 0


def gather(
    designs: Sequence,
    library: Library,
    command: str,
    tables: Sequence[Path] = (),
    *,
    progress: Progress = lambda text: None,
) -> dict[str, Any]:
    """Measure designs and the paper's units; return all that the report shows.

    Parameters
    ----------
    designs : sequence of Design
        What to show.
    library : Library
        The cells.
    command : str
        What made the report, for its provenance.
    tables : sequence of Path
        JSON files of other commands, lists of figures, to be shown as tables.
    progress : callable
        Told of each thing that is done.

    Raises
    ------
    InputError
        When a table cannot be read.
    ToolError
        When a measurement fails.
    """
    from gateware.points import point
    from synth.area.paper_units import MAC, paper_units, ratios

    further = [read_table(path) for path in tables]
    units = paper_units()
    others = {unit.ours.name: unit.ours for unit in units} | {MAC: point(MAC)}
    named = others | {one.name: one for one in designs}
    measured = measure_all(list(named.values()), library, progress=progress)
    areas = {area.design: area for area in measured}
    return {
        "title": "KLLM in RTL: areas",
        "provenance": provenance(measured[0], command),
        "notes": caption(measured),
        "designs": [
            as_json(areas[one.name]) | {"about": one.about, "products": products_per_cycle(one)}
            for one in designs
        ],
        "paper": ratios(units, areas),
        "paper_note": f"Area over that of an FP16 MAC: the paper's, at 28 nm, over its own; ours"
        f" over {MAC}, {areas[MAC].ge:,.0f} GE. Memories above {MACRO_BITS} bits are in neither.",
        "tables": further,
    }


def provenance(area: Area, command: str) -> dict[str, str]:
    """Return what made the figures."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "command": command,
        "date": f"{now:%Y-%m-%d %H:%M} UTC",
        "library": area.library,
        "Yosys": area.yosys,
        "timing": area.timing,
        "Python": platform.python_version(),
        "GE": f"{area.nand2}, {area.nand2_area:g}",
        "FO4": f"{area.inverter}, {area.fo4_ps:.1f} ps",
    }


def read_table(path: Path) -> dict[str, Any]:
    """Read figures that another command wrote: a list of records, or one record.

    Raises
    ------
    InputError
        When the file cannot be read or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{path} is no JSON: name what a command wrote with --json") from None
    records = content if isinstance(content, list) else [content]
    if not records or not all(isinstance(record, dict) for record in records):
        raise InputError(f"{path} is no list of figures: name what a command wrote with --json")
    plain = [
        {key: value for key, value in record.items() if isinstance(value, str | int | float)}
        for record in records
    ]
    columns = list(dict.fromkeys(key for record in plain for key in record))
    return {"file": path.name, "columns": columns, "records": plain}


def text_of(value: object) -> str:
    """Return a figure as a reader wants it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return "" if value is None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    assert isinstance(value, float)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def sections(data: dict[str, Any]) -> list[tuple[str, list[str], list[list[str]], str]]:
    """Return the tables: title, heads, rows, and a note."""
    designs = [[text_of(d[key]) for key in COLUMNS] for d in data["designs"]]
    for row in designs:
        row[-1] = "" if row[-1] == "0" else row[-1]  # no engine
    paper = [[text_of(p[key]) for key in PAPER] for p in data["paper"]]
    found = [
        ("Designs", list(COLUMNS.values()), designs, data["notes"]),
        ("Units of the paper", list(PAPER.values()), paper, data["paper_note"]),
    ]
    for table in data["tables"]:
        rows = [
            [text_of(record.get(key)) for key in table["columns"]] for record in table["records"]
        ]
        found.append((table["file"], table["columns"], rows, f"From {table['file']}."))
    rows = [[key, value] for key, value in data["provenance"].items()]
    found.append(("Where the figures come from", ["what", "which"], rows, ""))
    return found


def markdown(data: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    lines = [f"# {data['title']}", ""]
    for title, heads, rows, note in sections(data):
        lines += [f"## {title}", "", _row(heads), _row(["---"] * len(heads))]
        lines += [_row(row) for row in rows]
        lines += ["", note, ""] if note else [""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    escaped = (str(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"
