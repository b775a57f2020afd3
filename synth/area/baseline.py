"""Areas that the repository vouches for: ``synth/baseline.json``, in the default library.

A change that moves one of them by more than ``TOLERANCE`` must bring the new figure with it
(``kllm synth --update-baseline``), so that it shows in the change; a test sees to that. Delays are
not in it: a gate more or less moves them by several per cent.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from golden.base.errors import InputError
from golden.base.files import write_whole
from synth.area.area import Area

FILE = Path(__file__).resolve().parents[1] / "baseline.json"
TOLERANCE = 0.01
UPDATE = "kllm synth --update-baseline"
FIGURES = ("ge", "flip_flops", "memory_bits")


@dataclass(frozen=True)
class Delta:
    """One figure of one design, before and now."""

    design: str
    figure: str
    before: float
    now: float

    @property
    def change(self) -> float:
        """How much it moved, as a share of what it was; infinite from 0."""
        if self.before == self.now:
            return 0.0
        return (self.now - self.before) / self.before if self.before else float("inf")


@dataclass(frozen=True)
class Baseline:
    """What the file says.

    Parameters
    ----------
    library, yosys : str
        What the figures were measured with.
    designs : dict
        For each design the figures ``FIGURES`` of :class:`synth.area.area.Area`.
    """

    library: str
    yosys: str
    designs: dict[str, dict[str, float]]


def load(path: Path = FILE) -> Baseline:
    """Read the file.

    Raises
    ------
    InputError
        When it is missing or malformed.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Baseline(plain["library"], plain["yosys"], plain["designs"])
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; `{UPDATE} --all`") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no baseline of areas: `{UPDATE} --all` writes one") from None


def differences(baseline: Baseline, catalog: Iterable[str]) -> str:
    """Say which designs the file lacks or has too many; empty when none."""
    names = list(catalog)
    new = [name for name in names if name not in baseline.designs]
    gone = [name for name in baseline.designs if name not in names]
    said = [f"{FILE.name} lacks {', '.join(new)}"] if new else []
    said += [f"{FILE.name} has {', '.join(gone)}, which the catalog has not"] if gone else []
    return f"{'; '.join(said)}: run `{UPDATE} {' '.join(new) or '--all'}`" if said else ""


def deltas(baseline: Baseline, areas: Sequence[Area]) -> list[Delta]:
    """Return every figure of the designs that the baseline has, before and now."""
    return [
        Delta(area.design, figure, baseline.designs[area.design][figure], getattr(area, figure))
        for area in areas
        if area.design in baseline.designs
        for figure in FIGURES
    ]


def drifted(baseline: Baseline, areas: Sequence[Area]) -> list[Delta]:
    """Return the figures that moved by more than ``TOLERANCE``."""
    return [delta for delta in deltas(baseline, areas) if abs(delta.change) > TOLERANCE]


def table(found: Sequence[Delta]) -> str:
    """Return deltas as lines of text."""
    head = f"{'design':28} {'figure':12} {'before':>12} {'now':>12} {'change':>8}"
    lines = [
        f"{d.design:28} {d.figure:12} {d.before:12,.1f} {d.now:12,.1f} {d.change:+8.1%}"
        for d in found
    ]
    return "\n".join([head, *lines])


def update(areas: Sequence[Area], catalog: Iterable[str], path: Path = FILE) -> None:
    """Write the figures of designs into the file; the others stay, but for those that are gone.

    Raises
    ------
    InputError
        When it cannot be written, or its other figures are of another library or Yosys.
    """
    known: Mapping[str, Mapping[str, float]] = {}
    if path.is_file():
        before = load(path)
        known = before.designs
        others = set(known) - {area.design for area in areas}
        measured = {(area.library, area.yosys) for area in areas}
        if others and measured != {(before.library, before.yosys)}:
            raise InputError(
                f"{path.name} is of {before.library} and Yosys {before.yosys}: run `{UPDATE} --all`"
            )
    new = {area.design: {name: _short(getattr(area, name)) for name in FIGURES} for area in areas}
    designs = {name: {**known, **new}[name] for name in catalog if name in {**known, **new}}
    whole = {"library": areas[0].library, "yosys": areas[0].yosys, "designs": designs}
    write_whole(path, json.dumps(whole, indent=1) + "\n")


def _short(value: float) -> float:
    """Return as many digits as mean something."""
    return value if isinstance(value, int) else float(f"{value:.6g}")
