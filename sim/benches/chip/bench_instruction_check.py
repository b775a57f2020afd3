"""cocotb bench for InstructionCheck: instructions that are right but for one thing, or right."""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np

from golden.chip.instruction import BYTES, PITCH_BITS, Instruction, Op
from golden.chip.rules import FaultError, check
from golden.chip.shape import ChipShape
from sim.kit.testbed import Testbed

CASES = 1200
LATENCY = 2


def any_instruction(rng: np.random.Generator, shape: ChipShape) -> Instruction:
    """Return an instruction whose every field is at the edge of what is allowed, or near."""
    room, lanes = shape.vector_words, shape.inputs_per_beat

    def near(most: int) -> int:
        return int(rng.choice([0, 1, 2, most // 2, most - lanes, most, most + 1]))

    def multiple(of: int) -> int:
        return of * int(rng.integers(20)) + int(rng.choice([0, 0, 0, 0, 0, of // 2, 1]))

    count = lanes * int(rng.integers(1, room)) + int(rng.choice([0, 0, -1, 1, -lanes]))
    top = room - -(-count // lanes)  # the last word from which on there is room
    words: dict[str, Any] = {
        name: max(0, int(rng.choice([0, top, top, top - 1, top + 1]))) for name in "abd"
    }
    op = Op(int(rng.integers(16)))
    outputs = near(shape.outputs_max) if op == Op.LINEAR else multiple(2)
    flags = {n: bool(rng.integers(2)) for n in ("scaled", "keys")}
    grown = {n: bool(rng.random() < 0.2) for n in ("grows", "outputs_grow")}
    where: dict[str, Any] = {n: multiple(shape.bus_bytes) for n in ("address", "step")}
    if op == Op.CACHE:
        words["b"] = int(rng.choice([0x8000, 0xFFFF, 0x9ABC, 0x7FFF]))
    if op == Op.CHANNELS:
        count = near(shape.outputs_max)
    if op == Op.LINEAR and rng.random() < 0.8:
        count = near(shape.inputs_max)
        words = {"a": 0, "d": 0}
    if op == Op.LINEAR:
        where["form"] = int(rng.choice([0, 1, 2, 2, 3]))
        words["b"] = int(rng.choice([0, 0, 0, 1, 2, 7, 8]))
        if words["b"] and rng.random() < 0.8:
            count, outputs = near(2 * lanes) or 1, near(shape.output_lanes)
    where["extra"] = int(rng.integers(1 << 40)) << int(rng.choice([0, 0, 1]))
    where["slot"] = int(rng.choice([0, 0, shape.tokens_together - 1, int(rng.integers(64))]))
    if op == Op.LINEAR and rng.random() < 0.8:
        sizes = (shape.words(count), shape.words(outputs))
        pitches = [max(size + int(rng.choice([0, 0, 1, -1])), 0) for size in sizes]
        where["extra"] = pitches[0] | pitches[1] << PITCH_BITS
    return Instruction(op=op, count=count, outputs=outputs, **words, **flags, **grown, **where)


@cocotb.test(timeout_time=2000, timeout_unit="us")
async def refuses(dut) -> None:
    """Refuse what golden refuses, and nothing else."""
    bed = await Testbed(dut).start()
    rng, shape = bed.rng, bed.block.spec.shape
    seen: dict[Op, set[bool]] = {op: set() for op in Op}
    for _ in range(CASES):
        one = any_instruction(rng, shape)
        position = int(rng.integers(2 * shape.inputs_max))
        grown = {"count": one.grows, "outputs": one.outputs_grow}
        whole = replace(one, **{name: position + 1 for name, grows in grown.items() if grows})
        loaded = (whole.count, whole.outputs, whole.outputs)
        sizes = (shape.inputs_max, shape.outputs_max, shape.outputs_max)
        off = rng.choice([0, 0, 0, -1, 1], 3)
        loaded = tuple(
            int(np.clip(a + b, 0, most)) for a, b, most in zip(loaded, off, sizes, strict=True)
        )
        word = int.from_bytes(one.pack(), "little")
        flipped = rng.random() < 0.05
        word ^= int(flipped) << int(rng.integers(8 * BYTES))
        wrong = flipped or refused(whole, shape, one.address, loaded)
        seen[one.op].add(wrong)
        give(bed, word, position, one.address, loaded)
        await bed.cycles(LATENCY)
        await bed.settled()
        assert bed.get("wrong") == wrong, f"{one.text()}, position {position}, {loaded} loaded"
        await bed.cycles()
    assert all(kinds == {True, False} for kinds in seen.values()), seen


def give(bed: Testbed, word: int, position: int, address: int, loaded: Any) -> None:
    """Set all inputs."""
    names = ("inputs", "outputs", "channels")
    bed.dut.instruction.value = word
    bed.set(position=position, address=address, loaded=dict(zip(names, loaded, strict=True)))


def refused(one: Instruction, shape: ChipShape, address: int, loaded: Any) -> bool:
    """Return whether golden refuses an instruction."""
    try:
        check(one, shape, address=address, loaded=loaded)
    except FaultError:
        return True
    return False
