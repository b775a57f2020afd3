"""cocotb bench for Feeder: vectors of any length, word by word."""

import cocotb
import numpy as np

from golden.chip.instruction import Instruction, Op
from golden.chip.rules import pitch
from sim.kit.chip_units import Steps
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.vector_memory import VectorMemory

STEPS = 12
LIMIT = 2000  # cycles, whatever pauses
LATENCY = 2


def any_vector(bed: Testbed) -> Instruction:
    """Return a LINEAR step: often of one input more or less than whole words."""
    spec, rng = bed.block.spec, bed.rng
    lanes, several = spec.engine.inputs_per_beat, int(rng.integers(3))
    count = max(1, int(rng.integers(7 >> several)) * lanes + int(rng.integers(-1, 2)))
    pitch = -(-count // lanes) + int(rng.integers(2))
    a = int(rng.integers(spec.vectors.words - (pitch << several)))
    return Instruction(op=Op.LINEAR, a=a, b=several, count=count, extra=pitch)


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def feeds(dut, traffic: str) -> None:
    """Each word of a vector comes once, in order, and all of them before the step ends."""
    bed = await Testbed(dut).start()
    inside = VectorMemory(bed)
    steps = Steps(bed, inside.serve)
    await steps.break_off(traffic, any_vector(bed))
    numbers = inside.numbers.reshape(-1, bed.block.spec.engine.inputs_per_beat)
    expected: list[int] = []
    for _ in range(STEPS):
        one, before = any_vector(bed), len(expected)
        size = -(-one.count // numbers.shape[1])
        words = size << one.b
        busy = await steps.run(one, limit=LIMIT)
        for n in range(1 << one.b):
            first = one.a + n * pitch(one, "a")
            vector = numbers[first : first + size].astype("<u2")
            expected += [int.from_bytes(word.tobytes(), "little") for word in vector]
        sink = bed.sinks["o"]
        assert len(sink.items) == len(expected), one.text()
        if traffic == "free":
            assert sink.valid_at[before] == steps.begun + LATENCY
            np.testing.assert_array_equal(np.diff(sink.valid_at[before:]), 1)
            assert busy == words + LATENCY
    await bed.expect("o", expected)
