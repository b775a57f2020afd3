"""Liberty files: what a standard-cell library says about its cells."""

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from golden.base.errors import InputError
from synth.libraries.syntax import Group, number, parse, write
from synth.libraries.units import standardise

GZIP = b"\x1f\x8b"
SEQUENTIAL = {"ff", "ff_bank", "latch", "latch_bank", "statetable"}
NO = ("false", "0", "", "none")
DONT_USE = "dont_use"
NO_AREA = "has no area: give it one, or forbid it (dont_use : true, or --avoid NAME)"
PIN_LOADS = ("capacitance", "rise_capacitance", "fall_capacitance")
# Cells for another purpose than logic and registers, whatever their functions say: what such an
# attribute, of the cell or of one of its pins, holds is anything but NO.
SPECIAL = {
    DONT_USE,
    "use_for_size_only",
    *("is_isolation_cell", "is_clock_isolation_cell", "isolation_cell_enable_pin"),
    *("is_level_shifter", "is_differential_level_shifter", "level_shifter_type"),
    *("level_shifter_enable_pin", "always_on"),
    *("retention_cell", "retention_pin", "power_gating_cell", "power_gating_pin"),
    *("switch_cell_type", "switch_pin", "clock_gating_integrated_cell"),
    *("pad_cell", "auxiliary_pad_cell", "is_pad", "is_macro_cell", "is_memory_cell", "is_pll_cell"),
    *("is_filler_cell", "is_decap_cell", "is_tap_cell", "antenna_diode_type"),
}


def _special(group: Group) -> bool:
    found = SPECIAL & group.attributes.keys()
    return any(group.attributes[name].lower() not in NO for name in found)


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell, the library group that it stands in, and the file of that.

    ``avoided`` when the user or the kit's own flow does not want it, whatever the file says.
    """

    group: Group
    library: Group
    source: Path
    avoided: bool = False

    @property
    def name(self) -> str:
        """The cell's name."""
        return self.group.name

    @cached_property
    def area(self) -> float:
        """Area in the library's unit; 0 when the file does not say.

        Raises
        ------
        InputError
            When it is negative or no number.
        """
        return self._positive(self.group, "area")

    @cached_property
    def sequential(self) -> bool:
        """Whether it stores something."""
        return any(group.kind in SEQUENTIAL for group in self.group.groups)

    @cached_property
    def usable(self) -> bool:
        """Whether synthesis may choose it."""
        return not self.avoided and not any(map(_special, (self.group, *self._pins.values())))

    @property
    def allowed(self) -> bool:
        """Whether the file says of it that it may be used."""
        return self.usable and DONT_USE in self.group.attributes

    @cached_property
    def _pins(self) -> dict[str, Group]:
        """Every pin by name; one group may describe several."""
        groups = [(pin, " ".join(pin.arguments)) for pin in self.group.of("pin")]
        return {name: pin for pin, names in groups for name in names.split()}

    def pins(self, direction: str) -> dict[str, Group]:
        """Return the pins of a direction, by name."""
        return {
            name: pin
            for name, pin in self._pins.items()
            if pin.attributes.get("direction") == direction
        }

    def pin(self, name: str) -> Group | None:
        """Return the group of a pin."""
        return self._pins.get(name)

    def capacitance(self, pin: str) -> float:
        """Return the capacitance of an input in the library's unit.

        Raises
        ------
        InputError
            When the file does not say, or it is negative or no number.
        """
        own, shared = self.pin(pin) or self.group, self.library
        ways = ((own, PIN_LOADS[:1]), (own, PIN_LOADS[1:]), (shared, ("default_input_pin_cap",)))
        for group, names in ways:
            if all(name in group.attributes for name in names):
                return sum(self._positive(group, name) for name in names) / len(names)
        raise InputError(f"{self._where(own)}: cell {self.name}, input {pin} has no capacitance")

    def _positive(self, group: Group, name: str) -> float:
        """Return an attribute that must not be negative; 0 when it is not there."""
        text = group.attributes.get(name, "0")
        try:
            value = number(text)
        except ValueError:
            value = -1.0
        if value < 0:
            raise InputError(
                f"{self._where(group)}: cell {self.name}, {name} must be a number from 0: {text!r}"
            )
        return value

    def _where(self, group: Group) -> str:
        return f"{self.source.name}, line {group.line}"

    def check(self) -> None:
        """Refuse numbers that are none, and a cell without area that could be chosen.

        Raises
        ------
        InputError
            With the file and the line.
        """
        self._positive(self.group, "area")
        for pin in self._pins.values():
            for name in PIN_LOADS:
                self._positive(pin, name)
        outputs = self.pins("output").values()
        chosen = self.sequential or any("function" in pin.attributes for pin in outputs)
        if self.usable and chosen and outputs and "area" not in self.group.attributes:
            raise InputError(f"{self._where(self.group)}: cell {self.name} {NO_AREA}")


@dataclass(frozen=True, eq=False)
class Library:
    """The cells of one or several Liberty files.

    Parameters
    ----------
    name : str
        The names that the files give themselves, with + between.
    sources : dict of Path to str
        Each file and what is in it.
    groups : dict of Path to Group
        The same, read.
    cells : dict of str to Cell
        By name.
    """

    name: str
    sources: dict[Path, str]
    groups: dict[Path, Group]
    cells: dict[str, Cell]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, in order."""
        return tuple(self.sources)

    @cached_property
    def texts(self) -> dict[Path, str]:
        """Each file as tools are given it."""
        return {path: write(group) for path, group in self.groups.items()}

    @cached_property
    def avoided(self) -> tuple[str, ...]:
        """The cells that synthesis must not choose."""
        return tuple(sorted(name for name, cell in self.cells.items() if not cell.usable))

    @cached_property
    def digest(self) -> str:
        """A hash of all that a result may depend on, wherever the files are."""
        allowed = [name for name, cell in self.cells.items() if cell.allowed]
        whole = hashlib.sha256()
        for text in (*self.sources.values(), *self.avoided, *allowed):
            whole.update(hashlib.sha256(text.encode()).digest())
        return whole.hexdigest()


def read(files: Sequence[Path], avoid: Sequence[str] = ()) -> Library:
    """Read the cells of Liberty files, gzipped or not.

    Parameters
    ----------
    files : sequence of Path
        One file, or the parts of a library that comes in several.
    avoid : sequence of str
        Patterns such as ``*_probe*`` of cells that synthesis must not choose.

    Raises
    ------
    InputError
        When a file cannot be read, is no Liberty file, has a cell twice or one whose numbers are
        none, or brings no cell with an area.
    """
    cells: dict[str, Cell] = {}
    sources = {path: text_of(path) for path in files}
    groups = {path: parse(text, path.name) for path, text in sources.items()}
    for path, library in groups.items():
        standardise(library)
        for group in library.of("cell"):
            avoided = any(fnmatchcase(group.name, pattern) for pattern in avoid)
            cell = Cell(group, library, path, avoided)
            cell.check()
            if group.name in cells:
                raise InputError(f"{path.name}, line {group.line}: cell {group.name} again")
            if cell.allowed:  # ABC only looks whether the attribute is there
                group.body = [part for part in group.body if part.name != DONT_USE]
            cells[group.name] = cell
    if not any(cell.area for cell in cells.values()):
        raise InputError(f"{', '.join(str(path) for path in files)}: no cell has an area")
    name = "+".join(library.name for library in groups.values())
    return Library(name, sources, groups, cells)


def text_of(path: Path) -> str:
    """Return the text of a file that may be gzipped.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if raw[:2] == GZIP else raw).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read the cell library {path}: {reason}") from None
