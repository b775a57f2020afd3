"""What a multiply-accumulate takes, as ``python -m synth.power.arrays`` measured and kept it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("energies.json")


@cache
def energies() -> dict[str, dict[str, Any]]:
    """Return the kept rows by array."""
    return {row["array"]: row for row in json.loads(KEPT.read_text(encoding="utf-8"))}


def array_pj(array: str) -> float:
    """Return the pJ of a multiply-accumulate of an array: its cells alone."""
    return energies()[array]["pj"]


def array_ge(array: str) -> float:
    """Return the gate equivalents of an array for each multiply-accumulate a cycle."""
    return energies()[array]["ge"]


def array_area(array: str) -> float:
    """Return the um2 of an array's cells for each multiply-accumulate a cycle."""
    return energies()[array]["area"]
