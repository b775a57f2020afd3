"""What a design costs in a standard-cell library: cells, memories, longest path."""

import json
from dataclasses import asdict, dataclass
from math import isnan

from golden.base.errors import InputError
from synth.libraries.fo4 import fo4_ps
from synth.libraries.functions import NAND2, NOT, Table, least, weakest
from synth.libraries.liberty import Cell, Library
from synth.mapping.memories import Store

TIMEOUT = 600.0
ALIKE = 1 + 1e-9  # areas that differ by rounding


@dataclass(frozen=True, kw_only=True)
class Block:
    """One component of a design, without the components in it: figures of one copy.

    Parameters
    ----------
    module : str
        Its name in the Verilog.
    copies : int
        How often it stands in the design.
    area, ge, ge_sequential : float
        Of its own cells, as in :class:`Area`.
    flip_flops, memory_bits : int
        Its own.
    holds : tuple of str
        The components that it holds directly.
    """

    module: str
    copies: int
    area: float
    ge: float
    ge_sequential: float
    flip_flops: int
    memory_bits: int
    holds: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Memory(Store):
    """A memory of a design that is no flip-flops: that of a component, and how often it stands.

    Parameters
    ----------
    module : str
        The component that it is in.
    copies : int
        How often it stands in the design.
    area : float
        Of all copies by the model that :mod:`synth.mapping.memories` documents; in no other area.
    """

    module: str
    copies: int
    area: float


@dataclass(frozen=True, kw_only=True)
class Area:
    """What a design costs.

    Parameters
    ----------
    design, library : str
        Names of both.
    area : float
        Cells, in the library's unit of area.
    ge, ge_sequential : float
        The same in areas of the NAND2, and the share of flip-flops and latches in it.
    delay_ps, delay_fo4 : float
        Longest path, in ps and in FO4 of the library.
    path_start, path_end : str
        The nets at the ends of that path: ``instance.instance.net``.
    timing : str
        What found the path, and whether through the whole design.
    cells, flip_flops : int
        Number of cells, and of those that store a bit.
    cell_counts : dict of str to int
        How many of each cell.
    memory_bits : int
        Bits in memories, which are not in ``area``.
    memory_area, memory_ge : float
        What those would take; ``memory_model`` says by what.
    nand2, inverter : str
        The cells that GE and FO4 refer to.
    nand2_area, fo4_ps : float
        One GE, and the FO4 of the library.
    unit_note : str
        What else must be known of those cells; empty as a rule.
    yosys : str
        Version of Yosys.
    blocks : tuple of Block
        Area by component, the whole design first.
    memories : tuple of Memory
        The memories apart.
    """

    design: str
    library: str
    area: float
    ge: float
    ge_sequential: float
    delay_ps: float
    delay_fo4: float
    cells: int
    yosys: str
    path_start: str
    path_end: str
    timing: str
    flip_flops: int
    cell_counts: dict[str, int]
    memory_bits: int
    memory_area: float
    memory_ge: float
    memory_model: str
    nand2: str
    inverter: str
    nand2_area: float
    fo4_ps: float
    unit_note: str
    blocks: tuple[Block, ...]
    memories: tuple[Memory, ...]


@dataclass(frozen=True)
class Units:
    """What the figures of a library refer to."""

    nand2: Cell
    inverter: Cell
    fo4_ps: float
    note: str = ""


def units(library: Library) -> Units:
    """Find the NAND2 and the inverter of a library, and its FO4.

    Raises
    ------
    InputError
        When it lacks one of them, or a flip-flop.
    """
    nand2, inverter = least(library, NAND2, "NAND2"), least(library, NOT, "inverter")
    if not any(cell.usable and any(cell.group.of("ff")) for cell in library.cells.values()):
        raise InputError(f"the cell library {library.name} has no flip-flop: name another")
    notes = [_note(library, cell, table) for cell, table in ((nand2, NAND2), (inverter, NOT))]
    return Units(nand2, inverter, fo4_ps(inverter), "".join(notes))


def _note(library: Library, cell: Cell, table: Table) -> str:
    """Say so when the smallest cell is not the one of the weakest drive, as it is elsewhere."""
    weak = weakest(library, table)
    if weak.area <= cell.area * ALIKE:
        return ""
    return (
        f" {cell.name} is the smallest of its kind, but not the weakest: {weak.name} has less input"
        f" capacitance and an area of {weak.area:g}."
    )


def as_json(area: Area) -> dict:
    """Return an area as plain data, without digits that mean nothing; None was not measured."""

    def rounded(value: object) -> object:
        if isinstance(value, dict):
            return {key: rounded(entry) for key, entry in value.items()}
        if isinstance(value, tuple | list):
            return [rounded(entry) for entry in value]
        if isinstance(value, float):
            return None if isnan(value) else float(f"{value:.10g}")
        return value

    plain = rounded(asdict(area))
    assert isinstance(plain, dict)
    return plain


def of_json(content: bytes) -> Area:
    """Read an area's fields as JSON; any damage is a ValueError."""
    try:
        plain = json.loads(content)
        blocks = tuple(Block(**b | {"holds": tuple(b["holds"])}) for b in plain.pop("blocks"))
        memories = tuple(Memory(**memory) for memory in plain.pop("memories"))
        return Area(**plain, blocks=blocks, memories=memories)
    except (KeyError, TypeError) as error:
        raise ValueError(f"no area: {error}") from None
