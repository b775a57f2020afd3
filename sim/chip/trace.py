"""Trace: a program that also stores every vector it makes, so that the first wrong one is seen."""

from dataclasses import dataclass

import numpy as np

from golden.chip.builder import Builder
from golden.chip.compiler import Compiled, Compiler
from golden.chip.decoder import Decoder
from golden.chip.instruction import Index, Instruction, Op
from golden.chip.shape import FP16_BYTES, ChipShape

# What makes a vector; LINEAR has as many numbers as it has output channels.
MAKES = {Op.LOAD, Op.LINEAR, Op.ADD, Op.MULTIPLY, Op.ROTATE, Op.GATE, Op.POWERS}


@dataclass(frozen=True)
class Kept:
    """A vector that is stored: what it is, and where its rows are, one for each position."""

    name: str
    op: Op
    address: int
    stride: int
    count: int
    grows: bool


@dataclass(frozen=True)
class Trace:
    """All vectors of a program, in their order."""

    kept: list[Kept]

    def first(self, memory: np.ndarray, golden: np.ndarray, positions: int) -> str:
        """Return which vector differs first, and at which position; empty if none does."""
        for position in range(positions):
            for one in self.kept:
                size = FP16_BYTES * (position + 1 if one.grows else one.count)
                at = slice(start := one.address + position * one.stride, start + size)
                if not np.array_equal(memory[at], golden[at]):
                    return f"{one.name} ({one.op.name}) at position {position}"
        return ""


def traced(decoder: Decoder, shape: ChipShape) -> tuple[Compiled, Trace]:
    """Return a decoder compiled with a STORE behind each instruction that makes a vector."""
    compiler = Compiler(decoder, shape)
    compiler.tokens()
    kept = store_all(compiler, decoder.shape.context)
    address, names = compiler.finish()
    compiled = Compiled(bytes(compiler.image.data), compiler.image.regions, address, names)
    return compiled, Trace(kept)


def store_all(compiler: Builder, positions: int, part: str = "") -> list[Kept]:
    """Put a STORE behind each instruction that makes a vector; return what is stored.

    Parameters
    ----------
    compiler : Builder
        Its program grows.
    positions : int
        How many there are.
    part : str
        Only of instructions whose names begin so.
    """
    kept: list[Kept] = []
    program = []
    for name, one in compiler.program:
        program.append((name, one))
        if one.op not in MAKES or not name.startswith(part):
            continue
        linear = one.op is Op.LINEAR
        count = one.outputs << one.b if linear else one.count  # several are whole words
        grows = one.outputs_grow if linear else one.grows
        if one.whole and grows:
            count = positions
        stride = compiler.row_bytes(positions if grows else count)
        address = compiler.image.reserve(f"trace.{len(compiler.image.regions)}", stride * positions)
        kept.append(Kept(name, one.op, address, stride, count, grows and not one.whole))
        place = {"address": address, "stride": stride, "index": Index.POSITION}
        counts = {"count": count, "grows": grows and not one.whole}
        store = Instruction(op=Op.STORE, a=one.d, **counts, **place)
        program.append((f"{name}.stored", store))
    compiler.program = program
    return kept
