"""Memories: which of them stay memories, and what they would take.

A memory that is written and holds more than ``MACRO_BITS`` bits would be a macro of its own. No
open cell library has one, so its bits are counted and its area kept apart from that of the cells:

- With the user's own macros (``--macros FILE.lib``) it is that of the cell that has the name of
  the memory's module (``kllm_memory_64x32``, see :mod:`hw.stream.word_memory`). Where there is
  none, it is the area of the copies of one macro, a cell with a ``memory`` group, that cover
  words and width, of the macro for which that is least.
- Otherwise it is an upper bound, the *latch model*: bits times the library's smallest latch or
  flip-flop, which is what an array of such cells takes without its decoders and multiplexers. A
  macro of six-transistor cells takes a fraction of that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from golden.base.errors import InputError
from hw.stream.word_memory import MACRO_BITS, MODULE
from synth.libraries.liberty import Cell, Library
from synth.libraries.syntax import Group

MEMORY = "$mem_v2"


@dataclass(frozen=True, order=True)
class Store:
    """A memory of a component.

    Parameters
    ----------
    name : str
        What it is called there.
    words, width : int
        Its size; ``words * width`` bits.
    write_ports, read_ports : int
        How many words can be written and read in one cycle.
    clocked_reads : int
        How many of the read ports have a register; the others answer in the same cycle, which
        most macros cannot.
    """

    name: str
    words: int
    width: int
    write_ports: int
    read_ports: int
    clocked_reads: int

    @property
    def bits(self) -> int:
        """What it holds."""
        return self.words * self.width


def is_memory(cell: dict) -> bool:
    """Say whether a cell of Yosys' JSON is a memory."""
    return cell["type"] == MEMORY


def stays(cell: dict) -> bool:
    """Say whether a memory stays one: written, and above 256 bits. A table is logic."""
    return store_of("", cell).bits > MACRO_BITS and _number(cell, "WR_PORTS") > 0


def store_of(name: str, cell: dict) -> Store:
    """Describe a memory of Yosys' JSON."""
    return Store(
        name=name.removeprefix("\\"),
        words=_number(cell, "SIZE"),
        width=_number(cell, "WIDTH"),
        write_ports=_number(cell, "WR_PORTS"),
        read_ports=_number(cell, "RD_PORTS"),
        clocked_reads=cell["parameters"]["RD_CLK_ENABLE"].count("1"),
    )


def _number(cell: dict, name: str) -> int:
    """Return a number that Yosys writes in binary."""
    return int(cell["parameters"][name], 2)


def bit_cell(library: Library) -> Cell | None:
    """Return the smallest latch or flip-flop: the cell of the latch model."""
    usable = [cell for cell in library.cells.values() if cell.usable and cell.area > 0]
    stores = [cell for cell in usable if cell.sequential]
    plain = [cell for cell in stores if _holds_a_bit(cell)]
    return min(plain, key=lambda cell: (cell.area, cell.name), default=None)


def _holds_a_bit(cell: Cell) -> bool:
    """Leave out what stores in some way that only a table of states describes."""
    return any(cell.group.of("latch")) or any(cell.group.of("ff"))


@dataclass(frozen=True)
class Macro:
    """A memory macro of the user's."""

    name: str
    area: float
    words: int
    width: int
    write_ports: int
    read_ports: int

    def copies(self, store: Store) -> int:
        """Return how many cover a memory; 0 when it has more ports than this macro."""
        if store.write_ports > self.write_ports or store.read_ports > self.read_ports:
            return 0
        return math.ceil(store.words / self.words) * math.ceil(store.width / self.width)


@dataclass(frozen=True)
class Macros:
    """The macros of Liberty files.

    Parameters
    ----------
    named : dict
        Areas of the cells that are called as modules of memories are.
    sized : tuple of Macro
        Those that say their size.
    """

    named: Mapping[str, float]
    sized: tuple[Macro, ...]


def macros(library: Library) -> Macros:
    """Return the memory macros of Liberty files.

    Raises
    ------
    InputError
        When there is none, or one has no size or no area.
    """
    found = []
    named = {name: cell.area for name, cell in library.cells.items() if name.startswith(MODULE)}
    if without := [name for name, area in named.items() if area <= 0]:
        raise InputError(f"macro {without[0]}: its area must be more than 0")
    for cell in library.cells.values():
        for memory in cell.group.of("memory") if cell.name not in named else ():
            found.append(_macro(cell, memory))
    if not found and not named:
        raise InputError(
            f"{library.name} has no memory macro: a cell with the name of a memory's module, such"
            f" as {MODULE}64x32, or one with a `memory` group that gives address_width and"
            " word_width"
        )
    return Macros(named, tuple(found))


def _macro(cell: Cell, memory: Group) -> Macro:
    try:
        words = 1 << int(memory.attributes["address_width"])
        width = int(memory.attributes["word_width"])
    except (KeyError, ValueError):
        raise InputError(
            f"macro {cell.name}: its memory group must give address_width and word_width"
        ) from None
    if width < 1 or cell.area <= 0:
        raise InputError(f"macro {cell.name}: word width and area must be more than 0")
    groups = [group for kind in ("bus", "pin", "bundle") for group in cell.group.of(kind)]
    written = sum(any(group.of("memory_write")) for group in groups)
    read = sum(any(group.of("memory_read")) for group in groups)
    return Macro(cell.name, cell.area, words, width, max(written, 1), max(read, 1))


def memory_area(store: Store, module: str, library: Library, own: Macros | None) -> float:
    """Return what a memory of a module takes, in the library's unit of area; see above.

    Raises
    ------
    InputError
        When none of the user's macros has the ports that a memory needs.
    """
    if not own:
        cell = bit_cell(library)
        return store.bits * (cell.area if cell else 0.0)
    if module in own.named:
        return own.named[module]
    fitting = [macro.area * macro.copies(store) for macro in own.sized if macro.copies(store)]
    if fitting:
        return min(fitting)
    if not own.sized:
        raise InputError(f"no macro is called {module}: add one, or one with a `memory` group")
    raise InputError(
        f"memory {module} needs {store.write_ports} write and {store.read_ports} read ports;"
        f" no macro has so many: {', '.join(macro.name for macro in own.sized)}"
    )
