"""cocotb bench for LinearUnit: layers of weights, and of cached keys, one after another."""

from typing import Any

import cocotb
import numpy as np

from golden.chip.constants import LoadWord
from golden.chip.instruction import Instruction, Op
from golden.chip.layer_image import centroid_words, factor_word, level_words, size_words
from golden.chip.machine import Machine
from golden.exact.levels import Form
from golden.exact.token_scale import Scale, ScaleFactor
from hw.chip.chip_spec import ChipSpec
from sim.kit.chip_units import Parts, Steps
from sim.kit.levels import any_levels
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.vector_memory import VectorMemory

STEPS = 3
LIMIT = 6000  # cycles, whatever pauses
WORDS, SCALES, CODES, END = 0, 256, 1024, 4096  # addresses


class Work:
    """A layer as it stands in memory, and the three steps that run it."""

    def __init__(self, bed: Testbed) -> None:
        rng, spec = bed.rng, bed.block.spec
        self.spec: ChipSpec = spec
        inputs = int(rng.integers(1, spec.engine.inputs_max, endpoint=True))
        outputs = int(rng.integers(1, spec.engine.outputs_max, endpoint=True))
        k_top = int(rng.integers(min(spec.engine.outliers_max, inputs), endpoint=True))
        self.memory = bytearray(rng.bytes(END))
        digits = spec.engine.numbers.residual_digits(inputs)
        sizes = (
            (LoadWord.INPUTS, inputs),
            (LoadWord.OUTPUTS, outputs),
            (LoadWord.K_TOP, k_top),
            (LoadWord.DIGITS, digits),
        )
        positive = np.sort(rng.integers(20, 500, 8))
        words = size_words(sizes) + factor_word(ScaleFactor.mean(inputs, 1))
        words += centroid_words(np.concatenate([-positive[::-1], positive]))
        levels = any_levels(rng, spec.engine)
        words += level_words(levels) if levels else b""
        self.memory[WORDS : WORDS + len(words)] = words
        biased = bool(rng.integers(2))
        scales = rng.uniform(0.1, 1, (outputs, 2 if biased else 1)).astype("<f2").tobytes()
        self.memory[SCALES : SCALES + len(scales)] = scales
        self.x = rng.normal(size=inputs).astype(np.float16).view(np.uint16)
        self.factor = int(rng.integers(1024, 2048)), int(rng.integers(-14, -8))
        count = len(words) // LoadWord.BYTES
        self.constants = Instruction(op=Op.CONSTANTS, address=WORDS, count=count)
        fields: dict[str, Any] = {"scaled": biased, "extra": int(rng.integers(-12, -8)) & 0xFF}
        self.channels = Instruction(op=Op.CHANNELS, address=SCALES, count=outputs, **fields)
        words_in, last = spec.shape.words(inputs), spec.vectors.words
        self.linear = Instruction(
            op=Op.LINEAR,
            a=int(rng.integers(last // 4 - words_in, endpoint=True)),
            d=last // 4,
            count=inputs,
            outputs=outputs,
            address=CODES,
            step=spec.shape.tile_bytes(inputs),
            keys=bool(rng.integers(2)),
            scaled=bool(rng.integers(2)),
            form=levels.form if levels else Form.A8,
        )


@every_traffic
@cocotb.test(timeout_time=900, timeout_unit="us")
async def layers(dut, traffic: str) -> None:
    """Each layer's outputs are the machine's, whatever was loaded, or broken off, before."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    outside, inside = Parts(bed, bytes(END)), VectorMemory(bed)

    def serve() -> None:
        outside.serve()
        inside.serve()

    steps = Steps(bed, serve)
    for n in range(STEPS):
        work = Work(bed)
        outside.memory = bytes(work.memory)
        inside.put(work.linear.a, work.x)
        machine = Machine(spec.shape, outside.memory)
        machine.vectors[:] = inside.numbers
        mantissa, exponent = work.factor
        machine.factor = Scale(np.array([mantissa]), np.array([exponent]))
        bed.set(factor={"mantissa": mantissa, "exponent": exponent})
        for one in (work.constants, work.channels):
            await steps.run(one, limit=LIMIT, start="load_start")
        if n == 0:
            await steps.break_off(traffic, work.linear)
            await bed.restart(traffic)
            serve()
            continue
        await steps.run(work.linear, limit=LIMIT)
        for one in (work.constants, work.channels, work.linear):
            getattr(machine, one.op.name.lower())(one)
        np.testing.assert_array_equal(inside.numbers, machine.vectors, work.linear.text())
        flags = bed.get("flags")
        assert not any(flags.values()), flags
