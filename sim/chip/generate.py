"""Generate text on a simulated chip, and compare with the golden machine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import perf_counter

import numpy as np

from gateware.cached import cached_simulation_verilog
from gateware.points import point
from gateware.points.chip import CHIPS
from gateware.variant import BEFORE
from golden.base.errors import InputError
from golden.base.locks import alone_in
from golden.base.names import lookup, require_name
from golden.chip.compiler import Compiled, compile_decoder
from golden.chip.decoder import Decoder
from golden.chip.machine import Machine
from golden.chip.shape import FP16_BYTES
from golden.exact.fp16 import BitArray
from hw.chip.chip_spec import ChipSpec
from sim.chip.trace import Trace, traced
from sim.harness.chip_run import ChipRun, MemoryModel, Start, Task, build_chip, in_turn, run_chips
from sim.kit.launch import BUILD
from sim.run.chip_cocotb import run_in_icarus

GOLDEN, VERILATOR, ICARUS = SIMULATORS = ("golden", "verilator", "icarus")
# Far more cycles than any chip takes for a token, for each byte of a model's image.
CYCLES_PER_BYTE = 8

Say = Callable[[int], object]


@dataclass(frozen=True, kw_only=True)
class GenerateOptions:
    """What to generate, and on what.

    Parameters
    ----------
    prompt : list of int
        Tokens.
    count : int
        Tokens to generate.
    chip : str
        A name in :data:`gateware.points.chip.CHIPS`, or the address of one with other sizes.
    simulator : str
        ``verilator`` or ``icarus``: the chip's Verilog; ``golden``: the golden machine alone.
    memory : MemoryModel
        How the memory outside behaves.
    check_all : bool
        Whether every vector on the way is compared too.
    end_token : int, optional
        Nothing is generated behind it.
    """

    prompt: list[int]
    count: int
    chip: str = "chip_large"
    simulator: str = VERILATOR
    memory: MemoryModel = field(default_factory=MemoryModel)
    check_all: bool = False
    end_token: int | None = None

    @property
    def spec(self) -> ChipSpec:
        """The chip."""
        require_name("chip", self.chip.partition(BEFORE)[0], CHIPS)
        return point(self.chip).spec

    def check(self, decoder: Decoder) -> None:
        """Raise InputError unless the model can do what is asked for; before anything runs."""
        size = decoder.shape
        lookup("simulator", self.simulator, dict.fromkeys(SIMULATORS))
        if not self.prompt:
            raise InputError("the prompt is empty: give a token at least")
        wrong = [token for token in self.prompt if not 0 <= token < size.vocabulary]
        if wrong:
            raise InputError(f"token {wrong[0]} must be from 0 to {size.vocabulary - 1}")
        if self.count < 1:
            raise InputError(f"the number of tokens must be at least 1, got {self.count}")
        if len(self.prompt) + self.count > size.context + 1:
            raise InputError(
                f"a prompt of {len(self.prompt)} tokens and {self.count} new ones are more than the"
                f" context of {size.context}: ask for {size.context + 1 - len(self.prompt)} or less"
            )


@dataclass(frozen=True, kw_only=True)
class Generated:
    """What came of it.

    Parameters
    ----------
    tokens : list of int
        The prompt's, then the new ones.
    logits, logits_golden : (N, V) uint16
        FP16 patterns that each new token was chosen from: the chip's, the golden machine's.
    run : ChipRun, optional
        Cycles and bytes; None where no chip was simulated.
    prompt : int
        Tokens of the prompt.
    seconds : float
        That the simulation took; no cycle of the chip.
    other_bytes : int
        Bytes of the memory, after the run, that differ from the golden machine's.
    first_wrong : str
        What differs first; empty if nothing does.
    compiled : Compiled
        The program and its image.
    """

    tokens: list[int]
    logits: BitArray
    logits_golden: BitArray
    run: ChipRun | None
    prompt: int
    seconds: float = 0.0
    other_bytes: int = 0
    first_wrong: str = ""
    compiled: Compiled

    @property
    def mismatches(self) -> int:
        """Logits that differ."""
        return int((self.logits != self.logits_golden).sum())

    def per_token(self, name: str) -> list[int]:
        """Return how many ``cycles``, ``read_bytes`` or ``write_bytes`` each new token took.

        The prompt counts to the first.
        """
        if not self.run:
            return []
        total = [getattr(one, name) for one in self.run.chosen]
        return [int(n) for n in np.diff([0, *total])]


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A model compiled for a chip, and the chip built.

    Parameters
    ----------
    decoder : Decoder
    options : GenerateOptions
    compiled : Compiled
    trace : Trace, optional
        Of every vector, if all are to be compared.
    program : Path, optional
        The simulated chip; None for the golden machine alone.
    """

    decoder: Decoder
    options: GenerateOptions
    compiled: Compiled
    trace: Trace | None
    program: Path | None


def prepare(
    decoder: Decoder,
    options: GenerateOptions,
    *,
    compiled: Compiled | None = None,
    stage: Callable[[str], object] = lambda text: None,
) -> Ready:
    """Compile a model, if it is not, and build its chip.

    Parameters
    ----------
    decoder : Decoder
    options : GenerateOptions
    compiled : Compiled, optional
        The model compiled for this chip, for runs that compare no vectors on the way.
    stage : callable, optional
        Told what is being done.

    Raises
    ------
    InputError
        If the model does not fit the chip, or prompt and tokens do not fit the model.
    ToolError
        If a tool is missing.
    """
    options.check(decoder)
    shape = options.spec.shape
    trace = None
    if options.check_all or not compiled:
        stage("compiling the model")
    if options.check_all:
        compiled, trace = traced(decoder, shape)
    elif not compiled:
        compiled = compile_decoder(decoder, shape)
    program = None
    if options.simulator == VERILATOR:
        stage(f"building {options.chip}")
        program = built(options.chip)
    return Ready(decoder=decoder, options=options, compiled=compiled, trace=trace, program=program)


@cache
def built(chip: str) -> Path:
    """Return the harness with a chip."""
    design = point(chip)
    text = cached_simulation_verilog(design)
    folder = BUILD / f"{design.name}-chip"
    with alone_in(folder):
        return build_chip(folder, text, design.name)


def generate(ready: Ready, *, said: Say = lambda token: None) -> Generated:
    """Generate text, and compare it with the golden machine's.

    Parameters
    ----------
    ready : Ready
    said : callable, optional
        Told each new token as it comes.

    Raises
    ------
    ToolError
        If the chip breaks a rule of the bus, or hangs.
    """
    options, compiled = ready.options, ready.compiled
    image = compiled.with_tokens(options.prompt)
    known, limit = len(options.prompt), len(options.prompt) + options.count - 1
    began = perf_counter()
    run = _run(ready, image, known, limit, said) if options.simulator != GOLDEN else None
    seconds = perf_counter() - began
    machine = Machine(options.spec.shape, image)
    token = None  # of the prompt, while that goes through
    for program, _, end in compiled.passes(known, limit):
        while machine.position < end and (token is None or token != options.end_token):
            token = machine.run(program, known)
            if token is not None and not run:
                said(token)
    limit = machine.position  # which an end token may be before
    memory = np.frombuffer(run.memory, np.uint8) if run else machine.memory
    wrong = int((memory != machine.memory).sum())
    trace, rows = ready.trace, range(known - 1, limit)
    return Generated(
        tokens=_numbers(memory, compiled.tokens, "<u4", limit + 1).tolist(),
        logits=_logits(memory, ready, rows),
        logits_golden=_logits(machine.memory, ready, rows),
        run=run,
        prompt=known,
        seconds=seconds if run else 0.0,
        other_bytes=wrong,
        first_wrong=trace.first(memory, machine.memory, limit) if trace and wrong else "",
        compiled=compiled,
    )


def _run(ready: Ready, image: bytes, known: int, limit: int, said: Say) -> ChipRun:
    """Run the chip's passes, each on the memory that the one before has left; return their sum."""
    options, compiled = ready.options, ready.compiled
    runs: list[ChipRun] = []
    for program, first, end in compiled.passes(known, limit):
        place = {"tokens": compiled.tokens, "first": first, "known": known, "limit": end}
        start = Start(program=program, end_token=options.end_token, **place)
        cycles = CYCLES_PER_BYTE * len(image) * (end - first)
        task = Task(image=image, start=start, memory=options.memory, cycles=cycles)
        if ready.program:
            run = run_chips(ready.program, options.spec, [task], watch=lambda one: said(one.token))[
                0
            ]
        else:
            run = run_in_icarus(options.chip, task, watch=lambda one: said(one.token))
        runs.append(run)
        image = run.memory
        if run.fault != "none" or options.end_token in [one.token for one in run.chosen]:
            break
    return in_turn(runs)


def _numbers(memory: np.ndarray, address: int, kind: str, count: int) -> np.ndarray:
    return memory[address : address + count * np.dtype(kind).itemsize].view(kind)


def _logits(memory: np.ndarray, ready: Ready, rows: range) -> BitArray:
    """Return the logits (N, V) at some positions."""
    vocabulary = ready.decoder.shape.vocabulary
    address = ready.compiled.regions["logits"][0]
    stride = ready.options.spec.shape.aligned(FP16_BYTES * vocabulary)
    found = [_numbers(memory, address + n * stride, "<u2", vocabulary) for n in rows]
    return np.stack(found).astype(np.uint16)
