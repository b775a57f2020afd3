"""Texts through an encoder on a simulated chip, pass by pass, against the golden model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gateware.points.chip import CHIPS
from golden.base.errors import InputError, ToolError
from golden.base.names import lookup
from golden.chip.encoder import Encoder
from golden.chip.encoder_compiler import CompiledEncoder, compile_encoder
from golden.chip.encoder_model import EncoderModel, pooled
from golden.exact.fp16 import BitArray
from golden.quantise.methods.layer import Array
from hw.chip.chip_spec import ChipSpec
from sim.chip.generate import CYCLES_PER_BYTE, GOLDEN, VERILATOR, built
from sim.harness.chip_run import ChipRun, MemoryModel, Start, run_chip

CHIP = "chip_encoder"


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """On what texts run.

    Parameters
    ----------
    chip : str
        A name in :data:`gateware.points.chip.CHIPS`.
    simulator : str
        ``verilator``: the chip's Verilog; ``golden``: the golden model alone.
    memory : MemoryModel
        How the memory outside behaves.
    """

    chip: str = CHIP
    simulator: str = VERILATOR
    memory: MemoryModel = field(default_factory=MemoryModel)

    @property
    def spec(self) -> ChipSpec:
        """The chip."""
        return lookup("chip", self.chip, CHIPS)

    def check(self) -> None:
        """Raise InputError if there is no such chip or simulator."""
        lookup("simulator", self.simulator, dict.fromkeys((GOLDEN, VERILATOR)))
        assert self.spec


@dataclass(frozen=True, kw_only=True)
class Ready:
    """An encoder compiled for a chip, and the chip built.

    Parameters
    ----------
    encoder : Encoder
    options : EmbedOptions
    compiled : CompiledEncoder
    program : Path, optional
        The simulated chip; None for the golden model alone.
    """

    encoder: Encoder
    options: EmbedOptions
    compiled: CompiledEncoder
    program: Path | None


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """What became of a text.

    Parameters
    ----------
    tokens : list of int
    hidden, hidden_golden : (T, hidden) uint16
        Last hidden states, FP16 patterns: the chip's, the golden model's.
    cycles, read_bytes, write_bytes : int
        Of all passes; 0 where no chip was simulated.
    """

    tokens: list[int]
    hidden: BitArray
    hidden_golden: BitArray
    cycles: int = 0
    read_bytes: int = 0
    write_bytes: int = 0

    @property
    def mismatches(self) -> int:
        """Numbers of the hidden states that differ."""
        return int((self.hidden != self.hidden_golden).sum())

    @property
    def vector(self) -> Array:
        """The text's unit vector, of what the chip has made."""
        return pooled(self.hidden)


def prepare(
    encoder: Encoder,
    options: EmbedOptions,
    *,
    compiled: CompiledEncoder | None = None,
    stage: Callable[[str], object] = lambda text: None,
) -> Ready:
    """Compile an encoder, if it is not, and build its chip.

    Raises
    ------
    InputError
        If the encoder does not fit the chip, or needs what it does not have.
    ToolError
        If a tool is missing.
    """
    options.check()
    if not compiled:
        stage("compiling the model")
        compiled = compile_encoder(encoder, options.spec.shape)
    program = None
    if options.simulator == VERILATOR:
        stage(f"building {options.chip}")
        program = built(options.chip)
    return Ready(encoder=encoder, options=options, compiled=compiled, program=program)


def embed(ready: Ready, tokens: list[int]) -> Embedded:
    """Run a text through the encoder.

    Raises
    ------
    InputError
        If it has no token, or more than the encoder takes.
    ToolError
        If a run ends with a fault.
    """
    size = ready.encoder.shape
    if not 0 < len(tokens) <= size.context:
        raise InputError(f"a text has 1 to {size.context} tokens, got {len(tokens)}")
    golden = EncoderModel(ready.encoder).hidden(np.array(tokens))
    if not ready.program:
        return Embedded(tokens=tokens, hidden=golden, hidden_golden=golden)
    compiled = ready.compiled
    runs = run_passes(
        ready.program, ready.options, compiled, compiled.with_tokens(tokens), len(tokens)
    )
    memory = np.frombuffer(runs[-1].memory, np.uint8)
    totals = {
        name: sum(getattr(run, name) for run in runs)
        for name in ("cycles", "read_bytes", "write_bytes")
    }
    return Embedded(
        tokens=tokens,
        hidden=compiled.hidden(memory, len(tokens), size),
        hidden_golden=golden,
        **totals,
    )


def run_passes(
    program: Path, options: EmbedOptions, compiled: CompiledEncoder, image: bytes, tokens: int
) -> list[ChipRun]:
    """Run all passes over so many tokens, each on the memory that the one before has left.

    Raises
    ------
    ToolError
        If a run ends with a fault.
    """
    runs: list[ChipRun] = []
    for n, address in enumerate(compiled.programs):
        start = Start(program=address, tokens=compiled.tokens, known=tokens, limit=tokens)
        most = CYCLES_PER_BYTE * len(image) * tokens
        runs.append(run_chip(program, options.spec, image, start, options.memory, cycles=most))
        if runs[-1].fault != "none":
            raise ToolError(f"pass {n} ended with the fault {runs[-1].fault.upper()}")
        image = runs[-1].memory
    return runs
