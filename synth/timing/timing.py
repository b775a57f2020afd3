"""The longest path of a mapped netlist, by OpenSTA or, where that is not, by ABC's estimate.

Paths run from an input, register or memory to the next output, register or memory, through the
cells that the area counts and buffers on nets of many pins. Wires have no length. ABC's gates have
one output, so for its estimate each full adder stands in the netlist as two half cells that share
its input capacitance; it leaves the registers' own delay out.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gateware.yosys import run_abc
from golden.base.errors import ToolError
from synth.libraries.functions import full_adder
from synth.libraries.liberty import PIN_LOADS, Cell, Library
from synth.libraries.syntax import Group, Statement, number, write
from synth.mapping.mapped import Mapped
from synth.mapping.netlist import Assembly, CutNetlist, Place, cells_below, half_name, net_name
from synth.timing import sta
from synth.timing.arcs import require_arcs
from synth.timing.buffers import FAN_OUT, put_buffers

ESTIMATE = "ABC's estimate"
# Put together, the gates of so many cells take some 2 GB.
MOST_CELLS = 2_000_000
HALVED = ("area", *PIN_LOADS)
DELAY = re.compile(r"Delay\s*=\s*([\d.]+)\s*ps")
ENDS = re.compile(r"Start-point = pi(\d+).*End-point = po(\d+)")


@dataclass(frozen=True)
class LongestPath:
    """The longest path: its delay, and the nets where it starts and ends."""

    ps: float
    start: str = ""
    end: str = ""


@dataclass(frozen=True)
class Timing:
    """The longest path, and what found it in how much of the design."""

    path: LongestPath
    method: str

    def record(self) -> bytes:
        """Return everything as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of_record(cls, content: bytes) -> "Timing":
        """Read what :meth:`record` made; any damage is a ValueError."""
        try:
            plain = json.loads(content)
            return cls(LongestPath(**plain["path"]), plain["method"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no timing: {error}") from None


def method() -> str:
    """Return what times paths here: OpenSTA if it is installed, else ABC."""
    return sta.method() if sta.opensta().will_do else ESTIMATE


def timing_digest(library: Library) -> str:
    """Return a hash of how paths are timed."""
    parts = [
        library.digest,
        method(),
        str(MOST_CELLS),
        *_commands([""], library.avoided),
        str(FAN_OUT),
        put_buffers.__doc__ or "",
        sta.SCRIPT,
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def time_design(
    top: str,
    mapped: Mapping[str, Mapped],
    children: Mapping[str, tuple[str, ...]],
    library: Library,
    *,
    task: str,
    timeout: float,
) -> Timing:
    """Find the longest path of a design.

    A design of more than ``MOST_CELLS`` cells is timed one component at a time: paths through
    several of them are not seen then, and the method says so.

    Parameters
    ----------
    top : str
        The design.
    mapped : mapping of str to Mapped
        Each component by its name.
    children : mapping of str to tuple of str
        For each the names of those it holds.
    library : Library
        Whose cells these are.
    task, timeout
        As for :func:`gateware.yosys.run_abc`.
    """
    assembly = Assembly(mapped, children, library)
    if cells_below(top, mapped, children) <= MOST_CELLS:
        cut = assembly.cut(top)
        return Timing(longest_path(cut, library, mapped, task=task, timeout=timeout), method())
    longest = LongestPath(0.0)
    for name in mapped:
        alone = Assembly(mapped, children, library, deep=False).cut(name)
        path = longest_path(alone, library, mapped, task=task, timeout=timeout)
        if path.ps > longest.ps:
            longest = LongestPath(path.ps, f"{name}: {path.start}", f"{name}: {path.end}")
    return Timing(longest, f"{method()}, each component alone")


def longest_path(
    cut: CutNetlist,
    library: Library,
    mapped: Mapping[str, Mapped],
    *,
    task: str,
    timeout: float,
) -> LongestPath:
    """Return the longest path through gates.

    Parameters
    ----------
    cut : CutNetlist
        The gates.
    library : Library
        Whose cells these are.
    mapped : mapping
        The components that the gates came from, for names.
    task, timeout
        As for :func:`gateware.yosys.run_abc`.
    """
    put_buffers(cut, library)
    real = method() != ESTIMATE
    if not cut.gates and not (real and cut.registers):
        return LongestPath(0.0)
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        if real:
            for kind in {cell.kind for cell in (*cut.gates, *cut.registers)}:
                require_arcs(library.cells[kind])  # OpenSTA says nothing without
            ps, *ends = sta.shortest_period(folder, cut, library, task=task, timeout=timeout)
        else:
            ps, *ends = _estimate(folder, cut, library, task, timeout)
    start, end = (net_name(place, mapped) for place in ends)
    return LongestPath(ps, start, end)


def _estimate(
    folder: Path, cut: CutNetlist, library: Library, task: str, timeout: float
) -> tuple[float, Place | None, Place | None]:
    """Return the longest path, its start and its end by ABC."""
    adder = full_adder(library)
    (folder / "timing.blif").write_text(cut.blif(adder and adder[0].name), encoding="utf-8")
    names = [f"timing{n}.lib" for n in range(len(library.groups))]
    for name, group in zip(names, timing_libraries(library), strict=True):
        (folder / name).write_text(write(group), encoding="utf-8")
    log = run_abc(folder, _commands(names, library.avoided), task=task, timeout=timeout)
    found = DELAY.findall(log)
    if not found:
        last = log.strip().splitlines()[-1:] or ["nothing"]
        raise ToolError(f"{task}: ABC gives no delay; it says: {last[0]}")
    ends = ENDS.search(log)
    if not float(found[-1]) and cut.ends:
        raise ToolError(f"{task}: ABC gives a delay of 0: the library's tables may be empty")
    if ends is None:
        return float(found[-1]), None, None
    start = list(cut.starts.values())[int(ends[1])]
    return float(found[-1]), start, list(cut.ends.values())[int(ends[2])]


def _commands(libraries: Sequence[str], avoided: Sequence[str]) -> list[str]:
    """Return ABC's commands: all libraries, the gates, the longest path."""
    avoid = "".join(f" -X {name}" for name in avoided)
    read = [
        f"read_lib {'-m ' if number else ''}-w{avoid} {name}"
        for number, name in enumerate(libraries)
    ]
    return [
        *read,
        "read_blif timing.blif",
        "topo",
        "stime -p",
    ]


def timing_libraries(library: Library) -> Iterator[Group]:
    """Yield the group of each Liberty file, with the half cells of the full adder added."""
    found = full_adder(library)
    for path, group in library.groups.items():
        if found and found[0].source == path:
            outputs = list(found[0].pins("output"))
            halves = [_half_cell(found[0], kept, outputs) for kept in outputs]
            yield replace(group, body=[*group.body, *halves])
        else:
            yield group


def _half_cell(adder: Cell, kept: str, outputs: Sequence[str]) -> Group:
    """Return the cell with one of its outputs alone, and half as large."""
    half = _halved(adder.group, [name for name in outputs if name != kept])
    return replace(half, arguments=[half_name(adder.name, kept)])


def _halved(group: Group, without: Sequence[str]) -> Group:
    body: list[Statement | Group] = []
    for part in group.body:
        if isinstance(part, Group):
            if part.kind != "pin" or part.name not in without:
                body.append(_halved(part, without))
        elif part.name in HALVED:
            value = number(group.attributes[part.name]) / 2
            body.append(replace(part, text=f"{part.name} : {value:.9g};"))
        else:
            body.append(part)
    return replace(group, body=body)
