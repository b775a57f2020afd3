"""A chip's Verilog against a memory, in the bare C++ program: image in, image out."""

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import gateware
from golden.base.errors import ToolError
from hw.chip.chip_spec import ChipSpec
from sim.harness.model import BUILD_SECONDS, build_model

SOURCE = Path(__file__).with_name("chip.cpp")
DRIVER = Path(gateware.__file__).with_name("driver")


@dataclass(frozen=True, kw_only=True)
class MemoryModel:
    """How the memory outside behaves.

    Parameters
    ----------
    latency : int
        Cycles from an address to its first word.
    interval, pause : int
        Every ``interval`` cycles the memory rests for ``pause``; 0: never.
    gap : int
        Cycles between two words.
    stall : float
        Chance of a pause on each channel in each cycle.
    fails_at : int
        Number of the read burst, from 1, that is answered with an error; 0: none.
    write_fails_at : int
        The same of write bursts.
    hangs_at, write_hangs_at : int
        Number of the read or write burst behind which memory does nothing any more; 0: none.
    hangs_for : int
        For so many cycles it does nothing; 0: for ever.
    seed : int
        Of the pauses.
    """

    latency: int = 20
    interval: int = 0
    pause: int = 0
    gap: int = 0
    stall: float = 0.0
    fails_at: int = 0
    write_fails_at: int = 0
    hangs_at: int = 0
    write_hangs_at: int = 0
    hangs_for: int = 0
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a run is told.

    Parameters
    ----------
    program, tokens : int
        Addresses of the program and of the tokens.
    known : int
        Tokens that are there.
    first, limit : int
        The run goes from the first position to before the other one.
    end_token : int, optional
        The run ends behind it.
    again : int
        Runs after the first one, each when the one before has ended.
    stop_at : int
        Cycle in which the host stops the run; 0: never.
    reset_at : int
        Cycle in which chip and memory are reset, its content too, and the run begins anew; 0:
        never.
    """

    program: int
    tokens: int
    known: int
    limit: int
    first: int = 0
    end_token: int | None = None
    again: int = 0
    stop_at: int = 0
    reset_at: int = 0


@dataclass(frozen=True, kw_only=True)
class Task:
    """A run of a chip.

    Parameters
    ----------
    image : bytes
        What memory holds.
    start : Start
    memory : MemoryModel
    cycles : int
        The most there may be.
    """

    image: bytes
    start: Start
    memory: MemoryModel
    cycles: int


@dataclass(frozen=True)
class Chosen:
    """A token that the chip chose, for a position, and what had passed by then."""

    position: int
    token: int
    cycles: int
    read_bytes: int
    write_bytes: int


@dataclass(frozen=True, kw_only=True)
class ChipRun:
    """What came of a run.

    Parameters
    ----------
    memory : bytes
        The image afterwards.
    chosen : list of Chosen
    cycles, read_bytes, write_bytes : int
        In all.
    fault : str
        The name of what ended the run, as the driver has it; ``none`` if nothing did.
    """

    memory: bytes
    chosen: list[Chosen] = field(default_factory=list)
    cycles: int
    read_bytes: int
    write_bytes: int
    fault: str


TOTALS = ("cycles", "read_bytes", "write_bytes")


def in_turn(runs: Sequence[ChipRun]) -> ChipRun:
    """Return what came of runs, one behind the other, as of one run."""
    chosen: list[Chosen] = []
    before = dict.fromkeys(TOTALS, 0)
    for run in runs:
        for one in run.chosen:
            passed = {name: before[name] + getattr(one, name) for name in TOTALS}
            chosen.append(replace(one, **passed))
        before = {name: before[name] + getattr(run, name) for name in TOTALS}
    return ChipRun(memory=runs[-1].memory, chosen=chosen, fault=runs[-1].fault, **before)


def build_chip(folder: Path, verilog: str, name: str, *, limit: float = BUILD_SECONDS) -> Path:
    """Build the program for a chip; return it.

    Parameters
    ----------
    folder : Path
        Where: one for each chip.
    verilog : str
        As from :func:`gateware.emit.simulation_verilog`.
    name : str
        Its top module.
    limit : float
        Seconds of the processors' time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ports = max(1, len(set(re.findall(r"m_axi_port\d+_arvalid", verilog))))
    return build_model(
        folder,
        verilog,
        name,
        SOURCE,
        prefix="Vdesign",
        defines=[f"-DPORTS={ports}", f"-I{SOURCE.parent}", f"-I{DRIVER}"],
        level="-O2",
        limit=limit,
    )


def run_chip(
    program: Path,
    spec: ChipSpec,
    image: bytes,
    start: Start,
    memory: MemoryModel,
    *,
    cycles: int,
    watch: Callable[[Chosen], object] = lambda chosen: None,
) -> ChipRun:
    """Run a chip in the program of :func:`build_chip`, and leave the files of what fails beside it.

    Parameters
    ----------
    program : Path
    spec : ChipSpec
    image : bytes
    start : Start
    memory : MemoryModel
    cycles : int
        The most there may be.
    watch : callable, optional
        Told each token when it is chosen.

    Raises
    ------
    ToolError
        When the chip breaks a rule of the bus, or is not done in time.
    """
    task = Task(image=image, start=start, memory=memory, cycles=cycles)
    return run_chips(program, spec, [task], watch=watch)[0]


def run_chips(
    program: Path,
    spec: ChipSpec,
    tasks: Sequence[Task],
    *,
    watch: Callable[[Chosen], object] = lambda chosen: None,
) -> list[ChipRun]:
    """Carry out one task after another in one process, each from a reset on.

    As :func:`run_chip`, which says what may be raised.
    """
    files = [program.with_name(f"{name}.{os.getpid()}") for name in ("task", "image", "result")]
    settings = (number for task in tasks for number in _settings(spec, task))
    files[0].write_text("\n".join(map(str, settings)) + "\n")
    files[1].write_bytes(b"".join(task.image for task in tasks))
    command = [str(program), *map(str, files)]
    chosen: list[Chosen] = []
    done: list[tuple[list[Chosen], list[str]]] = []
    last = ["no word"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            last = line.split()
            if last[0].isdigit():
                chosen.append(Chosen(*map(int, last)))
                watch(chosen[-1])
            elif last[0] == "done":
                done.append((chosen, last[1:]))
                chosen = []
    if process.returncode or len(done) != len(tasks):
        raise ToolError(f"{' '.join(last)}, task {len(done)} (again with `{' '.join(command)}`)")
    runs, results = [], memoryview(files[2].read_bytes())
    for file in files:
        file.unlink()
    for task, (chosen, (total, fault, read, written)) in zip(tasks, done, strict=True):
        memory, results = bytes(results[: len(task.image)]), results[len(task.image) :]
        run = ChipRun(
            memory=memory,
            chosen=chosen,
            cycles=int(total),
            read_bytes=int(read),
            write_bytes=int(written),
            fault=fault,
        )
        runs.append(run)
    return runs


def _settings(spec: ChipSpec, task: Task) -> Sequence[int]:
    """Return the numbers of a task, in the order in which chip.cpp reads them."""
    start, memory = task.start, task.memory
    ends = start.end_token is not None
    said = [start.program, start.first, start.known, start.limit]
    said += [start.end_token or 0, int(ends), start.tokens]
    model = {f.name: getattr(memory, f.name) for f in fields(memory)}
    places = [model[n] for n in ("latency", "interval", "pause", "gap")]
    faults = ("fails_at", "write_fails_at", "hangs_at", "write_hangs_at", "hangs_for")
    return [
        *said,
        task.cycles,
        memory.seed,
        spec.bus_bytes,
        *places,
        round(1000 * memory.stall),
        *(model[n] for n in faults),
        start.again,
        start.stop_at,
        start.reset_at,
        len(task.image),
    ]
