"""cocotb bench for Beside: instructions that meet what LINEAR writes, touch it, or lie apart."""

from typing import Any

import cocotb
import numpy as np

from golden.chip.instruction import PITCH_BITS, Instruction, Op
from golden.chip.rules import FACTORS, SOURCES, pitch
from golden.chip.shape import ChipShape
from sim.kit.chip_units import step_of
from sim.kit.testbed import Testbed

CASES = 1500
LATENCY = 2
LOADS = (Op.CONSTANTS, Op.CHANNELS)
ALONE = (Op.NEXT, Op.TAKE, Op.STORE, Op.CACHE, Op.LINEAR)  # these wait for LINEAR to end


def may(
    one: Instruction, linear: Instruction, shape: ChipShape, *, feeding: bool, owes: bool
) -> bool:
    """Return whether an instruction may be carried out while LINEAR is."""
    if one.op in ALONE or one.op in LOADS:
        return one.op in LOADS
    words = shape.words(one.count)
    size = pitch(linear, "d") << linear.b if linear.b else shape.words(linear.outputs)
    wrote = range(linear.d, linear.d + size)
    places = [getattr(one, name) for name in SOURCES[one.op]]
    meets = any(set(range(at, at + words)) & set(wrote) for at in places)
    return not (feeding or meets or (one.op in FACTORS and owes))


def any_pair(rng: np.random.Generator, shape: ChipShape) -> tuple[Instruction, Instruction]:
    """Return LINEAR and an instruction with words near to those that LINEAR writes."""
    lanes, last = shape.inputs_per_beat, shape.vector_words
    outputs, several = int(rng.integers(1, 4 * lanes)), int(rng.integers(3))
    apart = shape.words(outputs) + int(rng.integers(3))  # not used for one vector
    size = apart << several if several else shape.words(outputs)
    d = int(rng.integers(max(last - size, 0) + 1))
    vectors: dict[str, Any] = {
        "b": several,
        "extra": apart << PITCH_BITS | int(rng.integers(1 << PITCH_BITS)),
    }
    linear = Instruction(op=Op.LINEAR, d=d, outputs=outputs, **vectors)
    count = int(rng.integers(1, 5 * lanes))
    words = shape.words(count)
    near = (d - words - 1, d - words, d - words + 1, d + size - 1, d + size, d + size + 1, 0)
    top = last - words
    places: dict[str, Any] = {n: int(np.clip(rng.choice(near), 0, top)) for n in "abd"}
    return linear, Instruction(op=Op(int(rng.integers(16))), count=count, **places)


@cocotb.test(timeout_time=2000, timeout_unit="us")
async def says(dut) -> None:
    """Let in what does not disturb LINEAR, and nothing else."""
    bed = await Testbed(dut).start()
    rng, shape = bed.rng, bed.block.spec.shape
    seen: dict[Op, set[bool]] = {op: set() for op in Op}
    for _ in range(CASES):
        linear, one = any_pair(rng, shape)
        now = {name: bool(rng.random() < 0.2) for name in ("feeding", "owes")}
        bed.set(ahead=step_of(one), linear=step_of(linear))
        await bed.cycles(LATENCY)
        bed.set(**{name: int(on) for name, on in now.items()})
        await bed.settled()
        expected = may(one, linear, shape, **now)
        seen[one.op].add(expected)
        assert bed.get("may") == expected, f"{one.text()} beside {linear.text()}, {now}"
        await bed.cycles()
    for op, kinds in seen.items():
        assert kinds == ({False} if op in ALONE else {True} if op in LOADS else {True, False}), op
