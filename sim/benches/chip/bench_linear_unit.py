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
from sim.kit.chip_units import Parts, Steps, Words
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
        several = int(rng.integers(3))  # a power of two
        outputs_max = spec.engine.output_lanes if several else spec.engine.outputs_max
        outputs = int(rng.integers(1, outputs_max, endpoint=True))
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
        words_in, last = spec.shape.words(inputs), spec.vectors.words
        several = several if words_in << several <= last // 4 else 0
        self.x = rng.normal(size=(words_in << several) * spec.engine.inputs_per_beat)
        self.x = self.x.astype(np.float16).view(np.uint16)
        self.factor = int(rng.integers(1024, 2048)), int(rng.integers(-14, -8))
        count = len(words) // LoadWord.BYTES
        self.constants = Instruction(op=Op.CONSTANTS, address=WORDS, count=count)
        fields: dict[str, Any] = {"scaled": biased, "extra": int(rng.integers(-12, -8)) & 0xFF}
        self.channels = Instruction(op=Op.CHANNELS, address=SCALES, count=outputs, **fields)
        self.linear = Instruction(
            op=Op.LINEAR,
            a=int(rng.integers(last // 4 - (words_in << several), endpoint=True)),
            b=several,
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
    parts, words, inside = Parts(bed, b"", "load_"), Words(bed, b""), VectorMemory(bed)

    def serve() -> None:
        parts.serve()
        words.serve()
        inside.serve()

    steps = Steps(bed, serve)
    work, other = Work(bed), Work(bed)
    await load(steps, parts, work)
    words.memory = bytes(work.memory)
    inside.put(work.linear.a, work.x)
    await steps.break_off(traffic, work.linear)
    await bed.restart(traffic)
    serve()
    await load(steps, parts, work)
    for _ in range(STEPS):
        machine = Machine(spec.shape, bytes(work.memory))
        words.memory = bytes(work.memory)
        inside.put(work.linear.a, work.x)
        machine.vectors[:] = inside.numbers
        mantissa, exponent = work.factor
        machine.factor = Scale(np.array([mantissa]), np.array([exponent]))
        bed.set(factor={"mantissa": mantissa, "exponent": exponent})
        # The next layer's constants are loaded while this one is under way.
        running = cocotb.start_soon(steps.run(work.linear, limit=LIMIT))
        while not bed.port("busy"):
            await bed.cycles()
        await bed.cycles(int(bed.rng.integers(60)))
        await load(steps, parts, other)
        await running
        for one in (work.constants, work.channels, work.linear):
            getattr(machine, one.op.name.lower())(one)
        np.testing.assert_array_equal(inside.numbers, machine.vectors, work.linear.text())
        flags = bed.get("flags")
        assert not any(flags.values()), flags
        work, other = other, Work(bed)


async def load(steps: Steps, parts: Parts, work: Work) -> None:
    """Load what the engine holds of a layer."""
    parts.memory = bytes(work.memory)
    for one in (work.constants, work.channels):
        await steps.run(one, limit=LIMIT, start="load_start")
