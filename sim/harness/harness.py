"""Any design with streams, driven by a bare C++ program: what goes in, and what came out.

cocotb takes some 25 microseconds for each signal that a bench touches; here a cycle of a whole
engine takes as many. The program itself is streams.cpp.
"""

import io
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from amaranth.hdl import Shape
from amaranth.lib import data, wiring

from gateware.design import describe_port, describe_streams
from gateware.engines.memory_image import MemoryImage
from golden.base.errors import ToolError
from golden.base.process import run_limited
from hw.stream.share import looked_at
from sim.harness.model import BUILD_SECONDS, build_model

SOURCE = Path(__file__).with_name("streams.cpp")
MODEL = "Vdesign"
REPORT_CYCLES = 1 << 14
RUN_SECONDS = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a run is to do.

    Parameters
    ----------
    feeds : mapping of str to iterable of int
        Words for input streams; each stream begins when the one before it is through.
    beside : mapping of str to iterable of int
        Words for input streams that begin at once.
    wanted : mapping of str to int
        How many words must come from output streams: then, some cycles later, the run ends.
    memories : iterable of MemoryImage
        What answers streams of requests.
    inputs : mapping of str to int
        Inputs that are not streams, the same all the time; others are 0.
    stall : float
        Chance of a pause on each stream in each cycle.
    seed : int
        Of the pauses.
    cycles : int
        The most there may be.
    """

    feeds: Mapping[str, Iterable[int]]
    wanted: Mapping[str, int]
    memories: Iterable[MemoryImage] = ()
    beside: Mapping[str, Iterable[int]] = field(default_factory=dict)
    inputs: Mapping[str, int] = ()  # pyright: ignore[reportAssignmentType]
    stall: float = 0.0
    seed: int = 1
    cycles: int = 1 << 40


@dataclass(frozen=True, kw_only=True)
class HarnessRun:
    """What came of a task.

    Parameters
    ----------
    words : dict of str to list of int
        What came from each stream that was wanted.
    taken_at : dict of str to (n,) uint64
        Clock cycle of each transfer of each stream.
    outputs : dict of str to int
        Outputs that are not streams, in the last cycle.
    cycles : int
        Clock cycles in all, but for reset.
    seconds : float
        What they took, by the clock on the wall.
    """

    words: dict[str, list[int]]
    taken_at: dict[str, npt.NDArray[np.uint64]]
    outputs: dict[str, int]
    cycles: int
    seconds: float


class Ports:
    """The ports of a design, in the order in which task and result have them."""

    def __init__(self, component: wiring.Component) -> None:
        signature = component.signature
        self.component = looked_at(component)
        ports = [describe_port(type(component), *port) for port in signature.flatten(component)]
        self.width = {port["name"]: port["width"] for port in ports}
        streams = list(describe_streams(signature))
        self.streams = {one["name"]: one["direction"] == "in" for one in streams}
        parts = {one[part] for one in streams for part in ("payload", "valid", "ready")}
        alone = [port for port in ports if port["name"] not in parts and port["width"]]
        self.inputs = [port["name"] for port in alone if port["direction"] == "in"]
        self.outputs = [port["name"] for port in alone if port["direction"] == "out"]
        self.index = {name: n for n, name in enumerate(self.streams)}

    def size(self, stream: str) -> int:
        """Return how many bytes a stream's word takes."""
        return -(-self.width[f"{stream}__payload"] // 8)

    def header(self) -> str:
        """Return the C++ that tells the program of them."""

        def member(name: str) -> str:
            return f"&top.{name.replace('__', '___05F')}"  # as Verilator writes them

        def port(name: str) -> str:
            width = self.width[name]
            return f'{{"{name}", {member(name) if width else "nullptr"}, {width}}}'

        streams = [
            f'{{"{name}", {str(is_input).lower()}, {port(f"{name}__payload")},'
            f" {member(f'{name}__valid')}, {member(f'{name}__ready')}}}"
            for name, is_input in self.streams.items()
        ]
        lists = {
            "Stream STREAMS": streams,
            "Port INPUTS": map(port, self.inputs),
            "Port OUTPUTS": map(port, self.outputs),
        }
        return "".join(
            f"static const std::vector<{kind}> {name} = {{\n  {f',{chr(10)}  '.join(rows)}}};\n"
            for (kind, name), rows in ((key.split(), rows) for key, rows in lists.items())
        )

    def field(self, stream: str, name: str) -> tuple[int, int, int]:
        """Return offset, width and number of elements of a field of a stream's payload."""
        members: Any = self.component.signature.members
        field = members[stream].signature.members["payload"].shape[name]
        if isinstance(field.shape, data.ArrayLayout):
            return field.offset, Shape.cast(field.shape.elem_shape).width, field.shape.length
        return field.offset, field.width, 1


def build_harness(
    folder: Path,
    verilog: str,
    name: str,
    component: wiring.Component,
    *,
    time_limit: float = BUILD_SECONDS,
) -> Path:
    """Build the program for a design; return it.

    Parameters
    ----------
    folder : Path
        Where: one for each design.
    verilog : str
        The design, as from :func:`gateware.emit.simulation_verilog`.
    name : str
        Its top module.
    component : wiring.Component
        What it was made from.
    time_limit : float
        Seconds of the processors' time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = Ports(component).header()
    return build_model(folder, verilog, name, SOURCE, prefix=MODEL, ports=ports, limit=time_limit)


def run_harness(
    program: Path,
    component: wiring.Component,
    task: Task,
    *,
    time_limit: float = RUN_SECONDS,
    watch: Callable[[float], None] | None = None,
) -> HarnessRun:
    """Run a task in the program of :func:`build_harness`, next to which it leaves its files.

    Parameters
    ----------
    program : Path
    component : wiring.Component
        What the design was made from.
    task : Task
    time_limit : float
        Seconds of the processor's time.
    watch : callable, optional
        Called now and then with the share of the wanted words that have come.

    Raises
    ------
    ToolError
        When the design breaks a rule of streams, or is not done in time: with the stream, the
        cycle and the command that repeats it.
    """
    ports = Ports(component)
    files = [program.with_name(name) for name in ("task", "result", "run.log")]
    files[0].write_bytes(_pack(ports, task))
    files[1].unlink(missing_ok=True)
    command = [str(program), str(files[0]), str(files[1])]
    with files[2].open("w", encoding="utf-8") as log:

        def look() -> None:
            said = files[2].read_text(encoding="utf-8").split()
            if watch and said:
                watch(float(said[-1]))

        status, _ = run_limited(
            command,
            over=f"{program.parent.name}: not done at the time limit, stopped",
            limit=time_limit,
            watch=look,
            stdout=log,
        )
    if status:
        said = files[2].read_text(encoding="utf-8").strip().splitlines() or ["no word"]
        raise ToolError(
            f"{program.parent.name}: {said[-1].removeprefix('error: ')}"
            f" (status {status}, again with `{' '.join(command)}`)"
        )
    return _unpack(ports, task, files[1].read_bytes())


def _pack(ports: Ports, task: Task) -> bytes:
    """Return a task as streams.cpp reads it."""
    file = io.BytesIO()

    def put(*numbers: int) -> None:
        file.write(struct.pack(f"<{len(numbers)}Q", *numbers))

    put(task.cycles, REPORT_CYCLES, task.seed, round(1000 * task.stall))
    inputs = dict(task.inputs)
    for name in ports.inputs:
        file.write(inputs.get(name, 0).to_bytes(-(-ports.width[name] // 8), "little"))
    put(len(task.feeds) + len(task.beside))
    before = 0
    for name, words in (*task.feeds.items(), *task.beside.items()):
        size = ports.size(name)
        packed = [word.to_bytes(size, "little") for word in words]
        put(ports.index[name], 0 if name in task.beside else before, len(packed))
        file.write(b"".join(packed))
        before = ports.index[name] + 1
    put(
        len(task.wanted),
        *(n for name, count in task.wanted.items() for n in (ports.index[name], count)),
    )
    memories = list(task.memories)
    put(len(memories))
    for memory in memories:
        put(ports.index[memory.request], ports.index[memory.answer])
        for name in (memory.row_field, memory.column_field):
            put(*ports.field(memory.request, name))
        put(*memory.words.shape)
        file.write(np.ascontiguousarray(memory.words).tobytes())
    return file.getvalue()


def _unpack(ports: Ports, task: Task, result: bytes) -> HarnessRun:
    """Return what streams.cpp wrote."""
    file = io.BytesIO(result)

    def number() -> int:
        return int.from_bytes(file.read(8), "little")

    cycles, nanoseconds = number(), number()
    words, taken_at = {}, {}
    for name in ports.streams:
        count = number()
        taken_at[name] = np.frombuffer(file.read(8 * count), "<u8")
        if name in task.wanted:
            size = ports.size(name)
            words[name] = [int.from_bytes(file.read(size), "little") for _ in range(count)]
    outputs = {
        name: int.from_bytes(file.read(-(-ports.width[name] // 8)), "little")
        for name in ports.outputs
    }
    return HarnessRun(
        words=words,
        taken_at=taken_at,
        outputs=outputs,
        cycles=cycles,
        seconds=nanoseconds / 1e9,
    )
