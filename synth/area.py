"""Area and delay of a design in a standard-cell library."""

import importlib.metadata
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from gateware.design import Design
from gateware.yosys import run_yosys
from golden.errors import InputError, ToolError
from synth.flow import back, front, maps
from synth.fo4 import fo4_ps
from synth.functions import NAND2, NOT, least
from synth.liberty import Library, read, text_of
from synth.timing import LongestPath, longest_path
from synth.tools import default_liberty

TIMEOUT = 600.0
# Larger memories would be macros: their bits are counted, their area is not.
MEMORY_BITS = 256
MEMORY = "$mem_v2"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One module of a design, without the shared modules in it: ``ge`` of one copy."""

    module: str
    copies: int
    ge: float
    ge_sequential: float


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
        The nets at the ends of that path, as the flat netlist calls them.
    cells, flip_flops : int
        Number of cells, and of those that store a bit.
    memory_bits : int
        Bits in memories, which are not in ``area``.
    nand2, inverter : str
        The cells that GE and FO4 refer to.
    nand2_area, fo4_ps : float
        One GE, and the FO4 of the library.
    yosys : str
        Version of Yosys.
    blocks : tuple of Block
        Area by module.
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
    flip_flops: int
    memory_bits: int
    nand2: str
    inverter: str
    nand2_area: float
    fo4_ps: float
    blocks: tuple[Block, ...]


def as_json(area: Area) -> dict:
    """Return an area as plain data, without digits that mean nothing."""

    def rounded(value: object) -> object:
        if isinstance(value, dict):
            return {key: rounded(entry) for key, entry in value.items()}
        if isinstance(value, tuple | list):
            return [rounded(entry) for entry in value]
        return float(f"{value:.10g}") if isinstance(value, float) else value

    plain = rounded(asdict(area))
    assert isinstance(plain, dict)
    return plain


def measure_design(name: str, liberty: Path | None = None, timeout: float = TIMEOUT) -> dict:
    """Return the area of a catalogued design as plain data; see :class:`Area`.

    Parameters
    ----------
    name : str
        The design.
    liberty : Path, optional
        The library; the default one when not given.
    timeout : float
        Seconds that Yosys and ABC may take together.
    """
    from gateware.catalog import design

    library = read([liberty or default_liberty()])
    return as_json(measure(design(name), library, timeout))


def measure(design: Design, library: Library, timeout: float = TIMEOUT) -> Area:
    """Synthesise a design and measure it.

    Raises
    ------
    InputError
        When the library lacks a cell that is needed.
    ToolError
        When Yosys or ABC is missing, fails or takes too long.
    """
    nand2, inverter = least(library, NAND2, "NAND2"), least(library, NOT, "inverter")
    if not any(cell.usable and any(cell.group.of("ff")) for cell in library.cells.values()):
        raise InputError(f"the cell library {library.name} has no flip-flop: name another")
    unit, fo4 = nand2.area, fo4_ps(inverter)
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        mapped = _synthesise(Path(scratch), design, library, timeout)
    totals: Counter[str] = Counter()
    blocks = []
    for module, copies in mapped.copies.items():
        counts = mapped.cells[module]
        totals.update({kind: copies * count for kind, count in counts.items()})
        blocks.append(
            Block(
                module=module,
                copies=copies,
                ge=_area(library, counts) / unit,
                ge_sequential=_area(library, counts, sequential=True) / unit,
            )
        )
    area = _area(library, totals)
    return Area(
        design=design.name,
        library=library.name,
        area=area,
        ge=area / unit,
        ge_sequential=_area(library, totals, sequential=True) / unit,
        delay_ps=mapped.path.ps,
        delay_fo4=mapped.path.ps / fo4,
        cells=totals.total(),
        path_start=mapped.path.start,
        path_end=mapped.path.end,
        yosys=importlib.metadata.version("pyosys"),
        flip_flops=sum(n for kind, n in totals.items() if library.cells[kind].sequential),
        memory_bits=mapped.memory_bits,
        nand2=nand2.name,
        inverter=inverter.name,
        nand2_area=unit,
        fo4_ps=fo4,
        blocks=tuple(blocks),
    )


@dataclass(frozen=True)
class _Mapped:
    """Cells of each module, number of copies of each, and what the whole netlist says."""

    cells: dict[str, dict[str, int]]
    copies: dict[str, int]
    memory_bits: int
    path: LongestPath


def _synthesise(folder: Path, design: Design, library: Library, timeout: float) -> _Mapped:
    """Run the flow in ``folder``."""
    task = f"synthesis of {design.name} within {timeout:g} s"
    deadline = time.monotonic() + timeout

    def left() -> float:
        return max(deadline - time.monotonic(), 0.001)

    libraries = []
    for number, path in enumerate(library.files):
        libraries.append(f"library{number}.lib")
        (folder / libraries[-1]).write_text(text_of(path), encoding="utf-8")
    for name, text in maps(library).items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "design.il").write_text(design.rtlil(), encoding="utf-8")
    shared = [name for name in design.emission.modules if name != design.name]

    run_yosys(folder, front(design.name, shared), task=task, timeout=left())
    small = _small_memories(_modules(folder / "memories.json"))
    run_yosys(folder, back(design.name, small, libraries), task=task, timeout=left())

    statistics = json.loads((folder / "stat.json").read_text(encoding="utf-8"))["modules"]
    counts = {
        name.removeprefix("\\"): module["num_cells_by_type"] for name, module in statistics.items()
    }
    copies = _copies(design.name, counts)
    netlist = _modules(folder / "netlist.json")[design.name]
    return _Mapped(
        cells={name: _known_cells(counts[name], set(counts), library) for name in copies},
        copies=copies,
        memory_bits=sum(_memory_bits(cell) for cell in _memories(netlist).values()),
        path=longest_path(folder, netlist, library, task=task, timeout=left()),
    )


def _modules(path: Path) -> dict[str, dict]:
    return json.loads(path.read_text(encoding="utf-8"))["modules"]


def _memories(module: dict) -> dict[str, dict]:
    return {name: cell for name, cell in module["cells"].items() if cell["type"] == MEMORY}


def _small_memories(modules: dict[str, dict]) -> list[tuple[str, str]]:
    """Return the memories to make of flip-flops, and those never written, which are logic."""
    return [
        (module, name)
        for module, content in modules.items()
        for name, cell in _memories(content).items()
        if _memory_bits(cell) <= MEMORY_BITS or _parameter(cell, "WR_PORTS") == 0
    ]


def _memory_bits(cell: dict) -> int:
    return _parameter(cell, "WIDTH") * _parameter(cell, "SIZE")


def _parameter(cell: dict, name: str) -> int:
    """Return a number that Yosys writes in binary."""
    return int(cell["parameters"][name], 2)


def _copies(top: str, counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Return how often each module stands in the design, those that hold others first."""
    copies: Counter[str] = Counter()

    def visit(module: str, times: int) -> None:
        copies[module] += times
        for kind, count in counts[module].items():
            if kind in counts:
                visit(kind, times * count)

    visit(top, 1)
    return dict(copies)


def _known_cells(counts: dict[str, int], modules: set[str], library: Library) -> dict[str, int]:
    """Return the counts of library cells; modules and memories are counted elsewhere."""
    kinds = {kind: n for kind, n in counts.items() if kind not in modules and kind != MEMORY}
    for kind in kinds:
        if kind not in library.cells:
            raise ToolError(f"synthesis left a cell {kind} that {library.name} does not have")
    return kinds


def _area(library: Library, counts: dict[str, int], *, sequential: bool = False) -> float:
    """Return the area of cells: of all, or of those alone that store something."""
    return sum(
        library.cells[kind].area * count
        for kind, count in counts.items()
        if library.cells[kind].sequential or not sequential
    )
