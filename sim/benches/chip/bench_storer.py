"""cocotb bench for Storer: numbers from anywhere in the vector memory to anywhere in memory."""

import cocotb
import numpy as np

from golden.chip.instruction import Instruction, Op
from golden.chip.machine import Machine
from golden.chip.shape import FP16_BYTES
from sim.kit.chip_units import Steps, piece_sizes, write_pieces
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.vector_memory import VectorMemory

MEMORY = 1 << 10
STEPS = 10
LIMIT = 2000  # cycles, whatever pauses
LATENCY = 2


def any_store(bed: Testbed) -> Instruction:
    """Return a STORE: often of one number more or less than whole words."""
    spec, rng = bed.block.spec, bed.rng
    lanes = spec.engine.inputs_per_beat
    count = max(1, int(rng.integers(6)) * lanes + int(rng.integers(-1, 2)))
    a = int(rng.integers(spec.vectors.words - 6))
    address = int(rng.integers(MEMORY // 2 // (FP16_BYTES * lanes))) * FP16_BYTES * lanes
    return Instruction(op=Op.STORE, a=a, count=count, address=address)


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def stores(dut, traffic: str) -> None:
    """Memory is as the machine's: no byte more is written, and none after the step."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    inside = VectorMemory(bed)
    machine = Machine(spec.shape, bed.rng.bytes(MEMORY))
    machine.vectors[:] = inside.numbers
    steps = Steps(bed, inside.serve)
    await steps.break_off(traffic, any_store(bed))
    memory, size, words = bytearray(machine.memory), piece_sizes(spec)["strobe"], 0
    for _ in range(STEPS):
        one = any_store(bed)
        busy = await steps.run(one, limit=LIMIT)
        machine.store(one)
        sink = bed.sinks["write_o"]
        write_pieces(memory, sink.items[words:], size)
        assert memory == machine.memory.tobytes(), one.text()
        if traffic == "free":
            assert sink.valid_at[words] == steps.begun + LATENCY
            np.testing.assert_array_equal(np.diff(sink.valid_at[words:]), 2)
            assert busy == 2 * (len(sink.items) - words)
        words += -(-one.count // spec.engine.inputs_per_beat)
    await bed.receive("write_o", words)
