"""A chip's Verilog against a memory, in the bare C++ program: image in, image out."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from golden.base.errors import ToolError
from hw.chip.chip_spec import ChipSpec
from sim.harness.model import BUILD_SECONDS, build_model

SOURCE = Path(__file__).with_name("chip.cpp")
FAULTS = ("none", "instruction", "memory", "number", "stopped")


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
    seed : int
        Of the pauses.
    """

    latency: int = 20
    interval: int = 0
    pause: int = 0
    gap: int = 0
    stall: float = 0.0
    fails_at: int = 0
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
    limit : int
        The run ends before this position.
    end_token : int, optional
        The run ends behind it.
    again : int
        Runs after the first one, each when the one before has ended.
    """

    program: int
    tokens: int
    known: int
    limit: int
    end_token: int | None = None
    again: int = 0


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
        One of :data:`FAULTS`.
    """

    memory: bytes
    chosen: list[Chosen] = field(default_factory=list)
    cycles: int
    read_bytes: int
    write_bytes: int
    fault: str


def build_chip(folder: Path, verilog: str, name: str, limit: float = BUILD_SECONDS) -> Path:
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
    return build_model(folder, verilog, name, SOURCE, prefix="Vdesign", level="-O1", limit=limit)


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
    """Run a chip in the program of :func:`build_chip`, next to which it leaves its files.

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
    files = [program.with_name(name) for name in ("task", "image", "result")]
    files[0].write_text("\n".join(map(str, _settings(spec, start, memory, cycles))) + "\n")
    files[1].write_bytes(image)
    command = [str(program), *map(str, files)]
    chosen, last = [], ["no word"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            last = line.split()
            if last[0].isdigit():
                chosen.append(Chosen(*map(int, last)))
                watch(chosen[-1])
    if process.returncode or last[0] != "done":
        raise ToolError(f"{' '.join(last)} (again with `{' '.join(command)}`)")
    total, fault, read, written = map(int, last[1:])
    return ChipRun(
        memory=files[2].read_bytes(),
        chosen=chosen,
        cycles=total,
        read_bytes=read,
        write_bytes=written,
        fault=FAULTS[fault],
    )


def _settings(spec: ChipSpec, start: Start, memory: MemoryModel, cycles: int) -> Sequence[int]:
    """Return the numbers of a task, in the order in which chip.cpp reads them."""
    ends = start.end_token is not None
    said = [start.program, start.known, start.limit, start.end_token or 0, int(ends), start.tokens]
    model = {f.name: getattr(memory, f.name) for f in fields(memory)}
    places = [model[n] for n in ("latency", "interval", "pause", "gap")]
    return [
        *said,
        cycles,
        memory.seed,
        spec.bus_bytes,
        *places,
        round(1000 * memory.stall),
        memory.fails_at,
        start.again,
    ]
