"""Cell libraries by name: those of Debian's qflow, and what stands under ``$PDK_ROOT``."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from golden.base.errors import InputError
from golden.base.names import near, some
from synth.libraries.liberty import Library, read
from synth.libraries.tools import default_liberty

PDK_VARIABLE = "PDK_ROOT"
QFLOW = Path("/usr/share/qflow/tech")
ENDINGS = (".lib", ".lib.gz")

QFLOW_FILES = {
    "osu018": "osu018/osu018_stdcells.lib",
    "osu035": "osu035/osu035_stdcells.lib",
    "osu050": "osu050/osu05_stdcells.lib",
}
# Buffers for the clock's tree, slow inside; qflow's own scripts leave them to that.
QFLOW_AVOID = ("CLKBUF*",)
# Cells made to be slow, for hold times; as buffers they would be the longest path.
DELAY_CELLS = ("*dly*",)


@dataclass(frozen=True)
class Preset:
    """Which cells and which corner of a process kit to take when its name is all that is said.

    Parameters
    ----------
    cells : str
        Pattern of the library's folder below ``libs.ref``.
    corner : str
        Pattern of the file: typical process, room temperature, the usual voltage.
    avoid : tuple of str
        Cells that the kit's own flows forbid, though the file does not say so.
    """

    cells: str
    corner: str
    avoid: tuple[str, ...] = ()


PRESETS = {
    "sky130": Preset("sky130_fd_sc_hd", "*__tt_025C_1v80.*", ("*__lpflow_*", "*__probe*")),
    "gf180mcu": Preset("gf180mcu_fd_sc_mcu7t5v0", "*__tt_025C_5v00.*"),
    "ihp-sg13g2": Preset("sg13g2_stdcell", "*_typ_1p20V_25C.*"),
    "asap7": Preset("*", "*_RVT_TT_*", ("*x1p*", "*xp*", "SDF*", "ICG*")),
}


@dataclass(frozen=True)
class Choice:
    """The files of a library, and patterns of cells to leave alone."""

    files: tuple[Path, ...]
    avoid: tuple[str, ...] = ()


def load(named: Sequence[str] = (), avoid: Sequence[str] = ()) -> Library:
    """Read the library that a user named.

    Parameters
    ----------
    named : sequence of str
        Names or files, each perhaps several with commas between; none for the default library.
    avoid : sequence of str
        Patterns of further cells that synthesis must not choose, commas as before.

    Raises
    ------
    InputError
        When there is no such library or file, or it is malformed.
    ToolError
        When none is named and the default library is missing.
    """
    parts = [part for text in named for part in text.split(",") if part]
    choices = [resolve(part) for part in parts] or [_file(default_liberty())]
    files = dict.fromkeys(path for choice in choices for path in choice.files)
    more = [pattern for text in avoid for pattern in text.split(",") if pattern]
    kits = [pattern for choice in choices for pattern in choice.avoid]
    return read(tuple(files), [*DELAY_CELLS, *kits, *more])


def resolve(name: str) -> Choice:
    """Return the files of one name: a path, a name of Debian's qflow, or a folder of a kit.

    Raises
    ------
    InputError
        When it is none of them.
    """
    if name.endswith(ENDINGS) or Path(name).is_file():
        return _file(Path(name))
    if name in QFLOW_FILES:
        path = QFLOW / QFLOW_FILES[name]
        if not path.is_file():
            raise InputError(f"no {path}: run `apt-get install qflow-tech-{name}`")
        return _file(path)
    root = os.environ.get(PDK_VARIABLE)
    if not root:
        raise InputError(
            f"no cell library {name!r}{near(name, QFLOW_FILES)}: name a Liberty file, one of"
            f" {', '.join(QFLOW_FILES)}, or set {PDK_VARIABLE} to the folder of your process kits"
        )
    return _in_kit(Path(root), name)


def _file(path: Path) -> Choice:
    """Return the library of one file."""
    return Choice((path,), QFLOW_AVOID if path.is_relative_to(QFLOW) else ())


def _in_kit(root: Path, name: str) -> Choice:
    """Return the files of ``KIT`` or ``KIT/CELLS`` below ``$PDK_ROOT``."""
    kit, _, cells = name.partition("/")
    folder = _kit_folder(root, kit)
    found = next((PRESETS[start] for start in PRESETS if folder.name.startswith(start)), None)
    preset = found or Preset("*", "*")
    references = folder / "libs.ref"
    if references.is_dir():
        where = f"libs.ref/{cells or preset.cells}/lib/"
    else:
        where = f"{cells}/" if cells else ""
    files = sorted(path for path in folder.glob(f"{where}*") if path.name.endswith(ENDINGS))
    typical = [path for path in files if fnmatchcase(path.name, preset.corner)]
    chosen = typical or files
    if not chosen:
        raise InputError(f"no Liberty file below {folder}/{where}: name a file")
    if references.is_dir() and len(chosen) > 1:
        there = some([path.name for path in chosen])
        raise InputError(f"{folder / where} has several Liberty files, {there}: name one of them")
    return Choice(tuple(chosen), preset.avoid)


def _kit_folder(root: Path, kit: str) -> Path:
    """Return the kit's folder; ``gf180mcu`` alone means its last variant, gf180mcuD."""
    if (root / kit).is_dir():
        return root / kit
    try:
        folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(f"{PDK_VARIABLE} names {root}: {error.strerror}") from None
    variants = [folder for folder in folders if kit and folder.startswith(kit)]
    if not variants:
        held = ", ".join(folders) or "no folder"
        raise InputError(f"no cell library {kit!r}: {PDK_VARIABLE} ({root}) has {held}")
    return root / variants[-1]
