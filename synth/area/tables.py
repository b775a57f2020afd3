"""What ``kllm synth`` prints."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from synth.area.memories import MEMORY_BITS
from synth.timing.timing import ESTIMATE, FAN_OUT

if TYPE_CHECKING:
    from synth.area.area import Area, Memory

WIDE = 100  # columns of a terminal that has room for the area in the library's unit too


def print_areas(areas: "Sequence[Area]") -> None:
    """Print the designs as a table, and below what the units are."""
    console = Console()
    titles = ["GE", "seq.", "FFs", "mem. bits", "delay ps", "FO4"]
    if console.width >= WIDE or len(areas) == 1:
        titles.append("area")
    table = Table(box=SIMPLE_HEAD)
    table.add_column("design", no_wrap=True)  # what one looks for
    for title in titles:
        table.add_column(title, justify="right")
    for area in areas:
        share = area.ge_sequential / area.ge if area.ge else 0.0
        figures = (
            f"{area.ge:,.0f}",
            f"{share:.0%}",
            f"{area.flip_flops:,}",
            f"{area.memory_bits:,}",
            f"{area.delay_ps:,.0f}",
            f"{area.delay_fo4:.0f}",
            f"{area.area:,.0f}",
        )
        table.add_row(area.design, *figures[: len(titles)])
    console.print(table)
    console.print(caption(areas), markup=False, highlight=False)


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
        f" share of flip-flops (FFs). Mem. bits: written memories above {MEMORY_BITS} bits, not in"
        f" the area; --blocks shows them. Delay: longest path between registers, memories and"
        f" ports by {methods}, no wires, nets of more than {FAN_OUT} pins buffered (buffers not in"
        f" the area){without}. FO4: delay / {area.fo4_ps:.1f} ps, that of {area.inverter}, the"
        f" smallest inverter, driving four of its kind in an endless chain, from the library's"
        f" tables.{area.unit_note}"
    )


def print_blocks(area: "Area") -> None:
    """Print what each component of a design adds, each below the first that holds it."""
    blocks = {block.module: block for block in area.blocks}
    table = Table(title=area.design)
    table.add_column("component", overflow="fold", min_width=24)
    for title in ("copies", "area each", "GE each", "FFs", "mem. bits", "GE all", "share"):
        table.add_column(title, justify="right")
    shown: set[str] = set()

    def add(name: str, depth: int) -> None:
        if name in shown:
            return
        shown.add(name)
        block = blocks[name]
        whole = block.ge * block.copies
        table.add_row(
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
    console = Console()
    console.print(table)
    note = "A component's figures are without those of the components indented below it."
    path = f"Longest path of {area.design}: from {area.path_start} to {area.path_end}"
    for line in (note, path):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_memories(area: "Area") -> None:
    """Print the memories of a design, which are in no other area."""
    if not area.memories:
        return
    table = Table(title=f"{area.design}: memories")
    table.add_column("in", overflow="fold", min_width=16)
    for title in ("copies", "words", "bits", "writes", "reads", "clocked", "GE all"):
        table.add_column(title, justify="right")
    alike: dict[tuple, list[Memory]] = {}
    for memory in area.memories:
        ports = (memory.write_ports, memory.read_ports, memory.clocked_reads)
        key = (memory.module, memory.words, memory.width, *ports)
        alike.setdefault(key, []).append(memory)
    for (module, *shape), several in alike.items():
        short = "itself" if module == area.design else module.removeprefix(f"{area.design}_")
        copies = sum(memory.copies for memory in several)
        ge = sum(memory.area for memory in several) / area.nand2_area
        table.add_row(short, f"{copies:,}", *(f"{n:,}" for n in shape), f"{ge:,.0f}")
    console = Console()
    console.print(table)
    line = f"Memories: {area.memory_ge:,.0f} GE by {area.memory_model}; in no other figure."
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def print_cells(area: "Area") -> None:
    """Print how many of each cell a design has, as a histogram."""
    table = Table("cell", title=f"{area.design}: cells")
    table.add_column("count", justify="right")
    table.add_column("")
    counts = sorted(area.cell_counts.items(), key=lambda entry: (-entry[1], entry[0]))
    most = counts[0][1] if counts else 1
    for kind, count in counts:
        table.add_row(kind, f"{count:,}", "#" * max(1, round(32 * count / most)))
    Console().print(table)
