"""What ``kllm synth`` prints."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

from golden.base.console import console, note, table
from hw.stream.word_memory import MACRO_BITS
from synth.timing.buffers import FAN_OUT
from synth.timing.timing import ESTIMATE

if TYPE_CHECKING:
    from synth.area.area import Area

WIDE = 100  # columns of a terminal that has room for the area in the library's unit too


def print_all(areas: "Sequence[Area]", *, blocks: bool, cells: bool) -> None:
    """Print designs, and if asked for each one's blocks and cells."""
    print_areas(areas)
    if not blocks and any(area.memory_bits for area in areas):
        note("--blocks shows the memories, and the area of each component.")
    for area in areas:
        if blocks:
            print_blocks(area)
            print_memories(area)
        if cells:
            print_cells(area)


def print_areas(areas: "Sequence[Area]") -> None:
    """Print the designs as a table, and below what the units are."""
    screen = console()
    titles = ["GE", "seq.", "FFs", "mem. bits", "delay ps", "FO4"]
    if screen.width >= WIDE or len(areas) == 1:
        titles.append("area")
    rows = table("design", *titles)
    for area in areas:
        share = area.ge_sequential / area.ge if area.ge else 0.0
        figures = (
            f"{area.ge:,.0f}",
            f"{share:.0%}",
            f"{area.flip_flops:,}",
            f"{area.memory_bits:,}",
            "-" if isnan(area.delay_ps) else f"{area.delay_ps:,.0f}",
            "-" if isnan(area.delay_ps) else f"{area.delay_fo4:.0f}",
            f"{area.area:,.0f}",
        )
        rows.add_row(area.design, *figures[: len(titles)])
    screen.print(rows)
    note(caption(areas))


def caption(areas: "Sequence[Area]") -> str:
    """Say what the columns mean, and where the units come from."""
    area = areas[0]
    estimated = any(one.timing.startswith(ESTIMATE) for one in areas)
    without = (
        "; the registers' own delay is not in an estimate, but with OpenSTA" if estimated else ""
    )
    methods = " and ".join(sorted({one.timing for one in areas}))
    return (
        f"Library {area.library}, Yosys {area.yosys}, mapped for least area. Area in the library's"
        f" unit (um2, as a rule), without wires. GE (gate equivalents): area / {area.nand2_area:g},"
        f" that of {area.nand2}, the smallest 2-input NAND by function that may be used; seq.: the"
        f" share of flip-flops (FFs). Mem. bits: written memories above {MACRO_BITS} bits, not in"
        f" the area. Delay: longest path between registers, memories and ports by {methods}, no"
        f" wires, nets of more than {FAN_OUT} pins buffered (buffers not in the area){without}."
        f" FO4: delay / {area.fo4_ps:.1f} ps, that of {area.inverter}, the smallest inverter,"
        f" driving four of its kind in an endless chain, from the library's tables.{area.unit_note}"
    )


def print_blocks(area: "Area") -> None:
    """Print what each component of a design adds, each below the first that holds it."""
    blocks = {block.module: block for block in area.blocks}
    titles = ("copies", "area each", "GE each", "FFs", "mem. bits", "GE all", "share")
    rows = table("component", *titles, title=area.design)
    shown: set[str] = set()

    def add(name: str, depth: int) -> None:
        if name in shown:
            return
        shown.add(name)
        block = blocks[name]
        whole = block.ge * block.copies
        rows.add_row(
            "  " * depth + (name.removeprefix(f"{area.design}_") if depth else "itself"),
            f"{block.copies:,}",
            f"{block.area:,.0f}",
            f"{block.ge:,.1f}",
            f"{block.flip_flops:,}",
            f"{block.memory_bits:,}",
            f"{whole:,.0f}",
            f"{whole / area.ge:.1%}" if area.ge else "",
        )
        for child in sorted(
            block.holds, key=lambda child: -blocks[child].ge * blocks[child].copies
        ):
            add(child, depth + 1)

    add(area.design, 0)
    console().print(rows)
    note("A component's figures are without those of the components indented below it.")
    note(f"Longest path of {area.design}: from {area.path_start} to {area.path_end}")


def print_memories(area: "Area") -> None:
    """Print the memories of a design, which are in no other area."""
    if not area.memories:
        return
    titles = ("copies", "words", "bits", "writes", "reads", "clocked", "GE all")
    rows = table("module", *titles, title=f"{area.design}: memories")
    for memory in area.memories:
        ports = (memory.write_ports, memory.read_ports, memory.clocked_reads)
        shape = (memory.copies, memory.words, memory.width, *ports)
        ge = memory.area / area.nand2_area
        rows.add_row(memory.module, *(f"{n:,}" for n in shape), f"{ge:,.0f}")
    console().print(rows)
    note(f"Memories: {area.memory_ge:,.0f} GE by {area.memory_model}; in no other figure.")


def print_cells(area: "Area") -> None:
    """Print how many of each cell a design has, as a histogram."""
    rows = table("cell", "count", title=f"{area.design}: cells")
    rows.add_column("")
    counts = sorted(area.cell_counts.items(), key=lambda entry: (-entry[1], entry[0]))
    most = counts[0][1] if counts else 1
    for kind, count in counts:
        rows.add_row(kind, f"{count:,}", "#" * max(1, round(32 * count / most)))
    console().print(rows)
