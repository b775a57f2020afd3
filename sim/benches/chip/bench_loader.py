"""cocotb bench for Loader: numbers from anywhere in memory to anywhere in the vector memory."""

import cocotb
import numpy as np

from golden.chip.instruction import Instruction, Op
from golden.chip.machine import Machine
from sim.kit.chip_units import Parts, Steps
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic
from sim.kit.vector_memory import VectorMemory, hold_writes

MEMORY = 1 << 10
STEPS = 10
LIMIT = 2000  # cycles, whatever pauses


def any_load(bed: Testbed) -> Instruction:
    """Return a LOAD: often of one number more or less than whole words."""
    spec, rng = bed.block.spec, bed.rng
    lanes = spec.engine.inputs_per_beat
    count = max(1, int(rng.integers(6)) * lanes + int(rng.integers(-1, 2)))
    d = int(rng.integers(spec.vectors.words - 6))
    address = int(rng.integers(MEMORY // 2 // spec.bus_bytes)) * spec.bus_bytes
    return Instruction(op=Op.LOAD, d=d, count=count, address=address)


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def loads(dut, traffic: str) -> None:
    """Have the vector memory as the machine has it, and read no more than that takes."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    outside, inside = Parts(bed, bed.rng.bytes(MEMORY)), VectorMemory(bed)
    machine = Machine(spec.shape, outside.memory)
    machine.vectors[:] = inside.numbers

    def serve() -> None:
        outside.serve()
        inside.serve()

    steps, one = Steps(bed, serve), any_load(bed)
    await steps.break_off(traffic, one)
    before = machine.vectors.copy()
    machine.load(one)
    assert np.all((inside.numbers == before) | (inside.numbers == machine.vectors))
    await bed.restart(traffic)
    serve()
    bed.tasks.append(cocotb.start_soon(hold_writes(bed, TRAFFIC[traffic].sink_stall)))
    asked, parts = [], []
    for _ in range(STEPS):
        one = any_load(bed)
        busy = await steps.run(one, limit=LIMIT)
        machine.load(one)
        np.testing.assert_array_equal(inside.numbers, machine.vectors, one.text())
        asked.append((one.address, -(-one.count * 2 // spec.bus_bytes)))
        parts.append(-(-one.count // spec.engine.inputs_per_beat))
        if traffic == "free":
            assert busy == parts[-1] + 1  # in which memory sees that it began
    await bed.receive("request_o", len(asked))
    assert outside.requests == asked
    assert outside.taken == parts
