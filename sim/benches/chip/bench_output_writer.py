"""cocotb bench for OutputWriter: outputs of layers of any width to anywhere."""

import cocotb
import numpy as np

from golden.chip.instruction import PITCH_BITS, Instruction, Op
from golden.chip.rules import pitch
from sim.kit.chip_units import Steps
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic
from sim.kit.vector_memory import VectorMemory, hold_writes

STEPS = 12
LIMIT = 2000  # cycles, whatever pauses


def any_outputs(bed: Testbed) -> Instruction:
    """Return a LINEAR step: often of one output more or less than whole words."""
    spec, rng = bed.block.spec, bed.rng
    lanes, several = spec.engine.inputs_per_beat, int(rng.integers(3))
    count = max(1, int(rng.integers(5 >> several)) * lanes + int(rng.integers(-1, 3)))
    pitch = -(-count // lanes) + int(rng.integers(2))
    d = int(rng.integers(spec.vectors.words - (pitch << several)))
    return Instruction(op=Op.LINEAR, b=several, d=d, outputs=count, extra=pitch << PITCH_BITS)


def send(bed: Testbed, vectors: np.ndarray) -> None:
    """Send the outputs of vectors tile by tile, and any numbers in the lanes beyond them."""
    engine, items = bed.block.spec.engine, []
    size, lanes = vectors.shape[1], engine.scale_lanes
    for first in range(0, size, engine.output_lanes):
        for outputs in vectors[:, first : first + engine.output_lanes]:
            beats = bed.rng.integers(1 << 16, size=(-(-len(outputs) // lanes), lanes))
            beats.ravel()[: len(outputs)] = outputs
            items += [{"lanes": beat, "infinite": 0, "last": 0} for beat in beats.tolist()]
            items[-1]["last"] = int(first + engine.output_lanes >= size)
    bed.send("i", items)


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def writes(dut, traffic: str) -> None:
    """All outputs of a vector stand one behind the other; nothing else has changed."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    inside = VectorMemory(bed)
    steps = Steps(bed, inside.serve)
    send(bed, bed.rng.integers(1 << 16, size=(1, 20)))
    await steps.break_off(traffic, any_outputs(bed))
    await bed.restart(traffic)
    inside.serve()
    bed.tasks.append(cocotb.start_soon(hold_writes(bed, TRAFFIC[traffic].sink_stall)))
    expected = inside.numbers.copy()
    for _ in range(STEPS):
        one = any_outputs(bed)
        outputs = bed.rng.integers(1 << 16, size=(1 << one.b, one.outputs))
        # Outputs wait for their step: those of the next one may be there already.
        send(bed, outputs)
        await bed.cycles(int(bed.rng.integers(4)))
        np.testing.assert_array_equal(inside.numbers, expected, "before the step")
        busy = await steps.run(one, limit=LIMIT)
        lanes = spec.engine.inputs_per_beat
        for n, vector in enumerate(outputs):
            first = (one.d + n * pitch(one, "d")) * lanes
            expected[first : first + one.outputs] = vector
        np.testing.assert_array_equal(inside.numbers, expected, one.text())
        if traffic == "free":
            # A tile's last beat may have lanes to spare.
            tiles = range(0, one.outputs, spec.engine.output_lanes)
            sizes = [min(one.outputs - at, spec.engine.output_lanes) for at in tiles]
            assert busy == sum(-(-size // spec.engine.scale_lanes) for size in sizes) << one.b
