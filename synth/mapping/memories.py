"""Memories: which of them stay memories, and what they would take.

A memory that is written and holds more than ``MEMORY_BITS`` bits would be a macro of its own. No
open cell library has one, so its bits are counted and its area kept apart from that of the cells:

- With the user's own macros (``--macros FILE.lib``: cells with a ``memory`` group) it is the area
  of the copies of one macro that cover words and width, of the macro for which that is least.
- Otherwise it is an upper bound, the *latch model*: bits times the library's smallest latch or
  flip-flop, which is what an array of such cells takes without its decoders and multiplexers. A
  macro of six-transistor cells takes a fraction of that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from golden.base.errors import InputError
from synth.libraries.liberty import Cell, Library
from synth.libraries.syntax import Group

MEMORY_BITS = 256
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
    return store_of("", cell).bits > MEMORY_BITS and _number(cell, "WR_PORTS") > 0


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


def macros(library: Library) -> tuple[Macro, ...]:
    """Return the memory macros of Liberty files.

    Raises
    ------
    InputError
        When there is none, or one has no size.
    """
    found = []
    for cell in library.cells.values():
        for memory in cell.group.of("memory"):
            found.append(_macro(cell, memory))
    if not found:
        raise InputError(
            f"{library.name} has no memory macro: a cell with a `memory` group that gives"
            " address_width and word_width"
        )
    return tuple(found)


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


def memory_area(stores: Sequence[Store], library: Library, own: Sequence[Macro]) -> float:
    """Return what memories take together, in the library's unit of area; see above.

    Raises
    ------
    InputError
        When none of the user's macros has the ports that a memory needs.
    """
    cell = bit_cell(library)
    total = 0.0
    for store in stores:
        if not own:
            total += store.bits * (cell.area if cell else 0.0)
            continue
        fitting = [macro.area * macro.copies(store) for macro in own if macro.copies(store)]
        if not fitting:
            raise InputError(
                f"memory {store.name} needs {store.write_ports} write and {store.read_ports} read"
                f" ports; no macro has so many: {', '.join(macro.name for macro in own)}"
            )
        total += min(fitting)
    return total
