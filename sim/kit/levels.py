"""Levels that activations on the grid are snapped to, and how they stand on ports."""

from typing import Any

import numpy as np

from golden.exact.levels import LEVELS_MAX, Form, Levels
from golden.exact.spec import GRID_MAX
from hw.engine_spec import EngineSpec

WILD = 0.2  # chance that ranges are not in order, or there is no other level than the largest


def random_levels(rng: np.random.Generator, form: Form) -> Levels | None:
    """Return ascending levels for a form, mostly of small magnitudes; none for the whole grid."""
    if not form.levels:
        return None
    most = int(rng.choice([32, 64, GRID_MAX + 1]))
    first, value = np.sort(rng.integers(0, most, (2, form.levels)), axis=1)
    first[0] = 0
    return Levels(first, value)


def any_levels(rng: np.random.Generator, spec: EngineSpec) -> Levels | None:
    """Return the levels of any form that an engine has; some are none that a layer would have.

    None is 0, which has a sign as a code of hardware, but none as an index.
    """
    levels = random_levels(rng, Form(int(rng.integers(len(Form))))) if spec.snaps else None
    if levels:
        levels = Levels(levels.first, np.maximum(levels.value, 1))
    if levels is None or rng.random() > WILD:
        return levels
    if rng.random() < 0.5:
        return Levels(levels.first, np.full_like(levels.value, GRID_MAX))
    first = rng.permutation(levels.first)
    first[0] = 0
    return Levels(first, rng.permutation(levels.value))


def level_ports(
    rng: np.random.Generator, spec: EngineSpec, levels: Levels | None
) -> dict[str, Any]:
    """Return what a block's ports say of levels: what is not used is noise."""
    if not spec.snaps:
        return {}
    first, value = rng.integers(0, GRID_MAX + 1, (2, LEVELS_MAX))
    form = Form.A8
    if levels:
        first[: len(levels.first)], value[: len(levels.value)] = levels.first, levels.value
        form = levels.form
    words = {"value": value.tolist(), "first": first[1:].tolist()}
    return {"form": form.value, "levels": words}
