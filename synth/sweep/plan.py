"""A sweep as its TOML file says it: every combination of a grid is a point."""

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateware.design import Design, Value
from gateware.points import point
from gateware.variant import ImpossibleError, variant
from golden.base.errors import InputError
from golden.base.files import ROOT
from golden.exact.cycles import outliers_of
from synth.sweep.cycles import require_cycles
from synth.sweep.points import (
    DEFAULT_LIBRARY,
    FIGURES,
    OUTLIERS_PERCENT,
    TIME,
    Accuracy,
    Layer,
    Plan,
    Point,
    figures_of,
)

Schema = dict[str, tuple[type | tuple[type, ...], str]]
KEYS: Schema = {
    "base": ((str, list), "a design or a list of them"),
    "libraries": (list, "a list of cell libraries"),
    "measure": (list, f"a list of {', '.join(FIGURES)}"),
    "pareto": (list, "a list of figures"),
    "skip_impossible": (bool, "true or false"),
    "grid": (dict, "a table of lists"),
    "layer": (dict, "a table"),
    "accuracy": (dict, "a table"),
}
WHOLE = (int, "a whole number")
LAYER: Schema = {
    **dict.fromkeys(("inputs", "outputs"), WHOLE),
    "outliers_percent": ((int, float), "a number"),
}
ACCURACY: Schema = {
    "layer": (str, "a layer of MiniLM"),
    **dict.fromkeys(("tokens", "weight_bits", "activation_bits", "seed"), WHOLE),
}
USUAL = ("area", "delay", "cycles")


def read_plan(path: Path) -> Plan:
    """Read a sweep; one that comes with the package, ``synth/sweep/lanes.toml``, from anywhere.

    Raises
    ------
    InputError
        When the file cannot be read, or does not say a sweep that is possible.
    """
    file = path if path.exists() or not (ROOT / path).is_file() else ROOT / path
    try:
        plain = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no TOML: {error}") from error
    try:
        return plan(plain)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def plan(plain: Mapping[str, Any]) -> Plan:
    """Return the sweep that the content of a TOML file says; see :func:`read_plan`."""
    _require("the file", plain, KEYS)
    if "base" not in plain:
        raise InputError("base is missing: the design that the grid changes")
    bases = plain["base"] if isinstance(plain["base"], list) else [plain["base"]]
    measured = _texts("measure", plain.get("measure", USUAL), FIGURES)
    libraries = _texts("libraries", plain.get("libraries", [DEFAULT_LIBRARY]))
    combinations, left_out = [], 0
    for base, changes in itertools.product(_texts("base", bases), _grid(plain.get("grid", {}))):
        try:
            combinations.append((base, changes, variant(point(base), dict(changes))))
        except ImpossibleError:
            if not plain.get("skip_impossible", False):
                raise
            left_out += 1
    if not combinations:
        raise InputError("no combination of the grid is possible: give it other values")
    designs = [one for *_, one in combinations]
    layer = _layer(plain.get("layer", {}), designs) if "cycles" in measured else None
    accuracy = _accuracy(plain, designs) if "accuracy" in measured else None
    points = tuple(
        Point(
            base=base,
            changes=changes,
            library=lib,
            measure=measured,
            layer=layer,
            accuracy=accuracy,
        )
        for lib, (base, changes, _) in itertools.product(libraries, combinations)
    )
    return Plan(points=points, pareto=_pareto(plain.get("pareto"), measured), left_out=left_out)


def _require(where: str, plain: Mapping[str, Any], known: Schema) -> None:
    for name, value in plain.items():
        if name not in known:
            raise InputError(f"{where} has {name!r}; allowed are {', '.join(known)}")
        kinds, said = known[name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise InputError(f"{name} must be {said}, got {value!r}")


def _texts(name: str, values: Sequence[Any], allowed: Mapping[str, Any] | None = None):
    for value in values:
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            said = f"; allowed are {', '.join(allowed)}" if allowed else ": texts are wanted"
            raise InputError(f"{name} has {value!r}{said}")
    if not values:
        raise InputError(f"{name} is empty: name at least one")
    return tuple(dict.fromkeys(values))


def _grid(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, Value], ...]]:
    """Yield every combination; a value that is no list is a list of one."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in table.items()}
    for name, values in lists.items():
        if not values:
            raise InputError(f"{name} is an empty list: give it at least one value")
        if any(isinstance(value, list | dict) for value in values):
            raise InputError(f"{name} must be a list of plain values, got {values!r}")
    for values in itertools.product(*(dict.fromkeys(values) for values in lists.values())):
        yield tuple(zip(lists, values, strict=True))


def _layer(table: Mapping[str, Any], designs: Sequence[Design]) -> Layer:
    """Return the layer: what the file says, by default the largest that all points take."""
    _require("layer", table, LAYER)
    sizes = {}
    for name in ("inputs", "outputs"):
        known = [one.parameters.get(f"{name}_max") for one in designs]
        limits = [limit for limit in known if isinstance(limit, int)]
        if name not in table and not limits:
            raise InputError(f"layer.{name} is missing: {designs[0].name} takes any number")
        sizes[name] = table.get(name, min(limits, default=0))
        if not 1 <= sizes[name] <= min(limits, default=sizes[name]):
            raise InputError(
                f"layer.{name} must be from 1 to {min(limits, default=1 << 14)}, which all points"
                f" take, got {sizes[name]}"
            )
    outliers = outliers_of(sizes["inputs"], _percent(table))
    layer = Layer(**sizes, outliers=outliers)
    for one in designs:
        require_cycles(one)
        most = 2 * getattr(one.spec, "outliers_max", outliers)
        if outliers > most:
            raise InputError(
                f"{outliers} outliers of {layer.inputs} inputs are more than {one.name} takes with"
                f" outliers_max = {most // 2}: lower layer.outliers_percent or raise that"
            )
    return layer


def _percent(table: Mapping[str, Any]) -> float:
    percent = float(table.get("outliers_percent", OUTLIERS_PERCENT))
    if not 0 <= percent <= 100:
        raise InputError(f"outliers_percent must be from 0 to 100, got {percent:g}")
    return percent


def _accuracy(plain: Mapping[str, Any], designs: Sequence[Design]) -> Accuracy:
    from golden.exact.codebook import A_INDEX_BITS, require_index_bits
    from golden.exact.spec import NumberSpec
    from golden.models.minilm import linear_layers
    from golden.models.model import require_layers
    from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec

    table = plain.get("accuracy", {})
    _require("accuracy", table, ACCURACY)
    share = _percent(plain.get("layer", {})) / 200
    found = Accuracy(**table, outlier_share=share)
    require_layers("MiniLM", linear_layers(), [found.layer])
    require_index_bits("weight_bits", found.weight_bits)
    if found.activation_bits is not None:
        require_index_bits("activation_bits", found.activation_bits, A_INDEX_BITS)
    if found.tokens < 1:
        raise InputError(f"tokens must be at least 1, got {found.tokens}")
    for one in designs:
        integers = isinstance(getattr(one.spec, "numbers", None), NumberSpec)
        if not integers or isinstance(one.spec, Fp16CounterSpec):
            raise InputError(f"accuracy is of designs with tables of integers; {one.name} has none")
    return found


def _pareto(said: Sequence[Any] | None, measured: Sequence[str]) -> tuple[str, ...]:
    """Return the figures that are weighed: by default area, time and error, if measured."""
    there = figures_of(measured)
    if said is not None:
        return _texts("pareto", said, dict.fromkeys(there))
    usual = [TIME] if TIME in there else ["delay_fo4", "cycles"]
    return tuple(name for name in ("ge", *usual, "error") if name in there)
