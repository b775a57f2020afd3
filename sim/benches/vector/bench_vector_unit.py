"""cocotb bench for VectorUnit: every operation on numbers of every kind, one after another."""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import Timer

from golden.chip.instruction import Instruction, Op
from golden.chip.machine import Machine
from golden.chip.shape import ChipShape
from golden.exact.fp16 import BitArray, flush_nonfinite, to_bits
from hw.vector.vector_spec import VectorSpec
from sim.kit.clock import cycle
from sim.kit.corners import finite
from sim.kit.fp16_operands import near, patterns
from sim.kit.testbed import Testbed
from sim.kit.vector_memory import VectorMemory

REGIONS = 4  # of the memory: vectors stand in different ones, or in the same place
ROUNDS = 6
WORDS_MOST = 5
OPS = ("ADD", "MULTIPLY", "ROTATE", "GATE", "LARGEST", "POWERS", "ROOT", "CHOOSE")
SCALED = ("ADD", "MULTIPLY", "GATE", "CHOOSE")  # those that have another form


class Chip:
    """The vector unit, its memory, and the machine that says what they do."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.rng = bed, bed.rng
        self.spec: VectorSpec = bed.block.spec
        self.memory = VectorMemory(bed)
        self.begin()

    def begin(self) -> None:
        """Begin anew, after a reset; the memory stays."""
        spec = self.spec
        sizes: dict[str, Any] = {"output_lanes": 16, "bus_bytes": 16, "outliers_max": 1}
        sizes |= {"inputs_max": 64, "outputs_max": 64, "tokens_together": 4, "gelu": spec.gelu}
        shape = ChipShape(inputs_per_beat=spec.word_lanes, vector_words=spec.words, **sizes)
        self.machine = Machine(shape, b"")
        self.machine.vectors[:] = self.memory.numbers
        self.memory.serve()

    def put(self, word: int, values: BitArray) -> None:
        """Put a vector into the memory."""
        self.memory.put(word, values)
        self.machine.vectors[:] = self.memory.numbers

    def any_count(self) -> int:
        """Return how many numbers a vector has: often one more or less than whole words."""
        lanes = self.spec.word_lanes
        most = min(self.spec.words // REGIONS, WORDS_MOST)
        near_words = int(self.rng.integers(most + 1)) * lanes + int(self.rng.integers(-1, 2))
        return min(max(near_words if self.rng.random() < 0.7 else 1, 1), most * lanes)

    def any_numbers(self, count: int) -> BitArray:
        """Return numbers of a kind: any, finite, zeros, all equal, nearly so, some usual ones."""
        rng = self.rng
        one = np.full(count, finite(rng, (1,))[0], np.uint16)
        usual = to_bits(rng.normal(size=count) * rng.choice([0.1, 2, 30]))
        kinds = (patterns(rng, count), finite(rng, (count,)), one * 0, one, near(rng, one), usual)
        return kinds[int(rng.choice(len(kinds), p=[0.25, 0.2, 0.05, 0.1, 0.1, 0.3]))]

    def instructions(self, op: str) -> Iterator[Instruction]:
        """Put vectors into the memory; yield what is done with them."""
        rng, count = self.rng, self.any_count()
        count += count % 2 if op == "ROTATE" else 0
        regions = rng.permutation(REGIONS)[:3] * (self.spec.words // REGIONS)
        a, b, d = (int(place) for place in regions)
        d = (a, b, d, d)[int(rng.integers(4))]
        x = self.any_numbers(count)
        self.put(a, flush_nonfinite(x) if op == "ROOT" else x)
        self.put(b, self.any_numbers(count))
        if op == "POWERS":
            yield Instruction(op=Op.LARGEST, a=a, count=count)
        extra = int(rng.integers(1 << 31)) if op in ("CHOOSE", "ROOT") else 0
        fields: dict[str, Any] = {"a": a, "b": b, "d": d, "count": count, "extra": extra}
        if op == "ROOT" and rng.random() < 0.3:
            fields["extra"] = (0, (1 << 40) - 1)[int(rng.integers(2))]
        scaled = op in SCALED and (op != "GATE" or self.spec.gelu) and rng.random() < 0.5
        yield Instruction(op=Op[op], **fields, scaled=bool(scaled))

    def word(self, one: Instruction) -> dict[str, int]:
        """Return an instruction as the unit takes it."""
        fields = {name: getattr(one, name) for name in ("a", "b", "d", "count", "extra")}
        return {"op": int(one.op), "continues": int(one.scaled), **fields}

    async def run(self, one: Instruction) -> None:
        """Do an instruction; compare all that it can change."""
        begun = cycle()
        await self.bed.sources["i"].send([self.word(one)])
        took = self.bed.sources["i"].taken_at[-1] - begun
        assert took == self.bed.block.cycles(one.op.name, one.count), f"{one.text()}: {took} cycles"
        await Timer(1, unit="ns")  # what follows begins in the cycle after
        getattr(self.machine, one.op.name.lower())(one)
        text = one.text()
        np.testing.assert_array_equal(self.memory.numbers, self.machine.vectors, text)
        factor = self.machine.factor
        said = {"mantissa": int(factor.mantissa[0]), "exponent": int(factor.exponent[0])}
        assert self.bed.get("factor") == said, text
        assert self.bed.get("chosen") == self.machine.chosen, text
        assert self.bed.get("idle"), text


@cocotb.test(timeout_time=500, timeout_unit="us")
async def operations(dut) -> None:
    """Everything of the memory and all scalars are as the machine's, and take as long as stated."""
    bed = await Testbed(dut).start()
    chip = Chip(bed)
    for _ in range(ROUNDS):
        for op in bed.rng.permutation(OPS):
            for one in chip.instructions(str(op)):
                await chip.run(one)
                await bed.cycles(int(bed.rng.choice([0, 0, 3])))


@cocotb.test(timeout_time=500, timeout_unit="us")
async def resets(dut) -> None:
    """Leave only what was written by a reset in the middle; what follows is as ever."""
    bed = await Testbed(dut).start()
    chip = Chip(bed)
    for _ in range(ROUNDS // 2):
        for op in OPS:
            for one in chip.instructions(op):
                kept = chip.memory.numbers.copy()
                bed.send("i", [chip.word(one)])
                await bed.cycles(int(bed.rng.integers(bed.block.cycles(op, one.count))))
                await bed.restart()
                lanes = chip.spec.word_lanes
                kept[one.d * lanes : one.d * lanes + one.count] = 0
                seen = chip.memory.numbers.copy()
                seen[one.d * lanes : one.d * lanes + one.count] = 0
                np.testing.assert_array_equal(seen, kept)
                chip.begin()
                await Timer(1, unit="ns")
                assert bed.get("factor") == {"mantissa": 1024, "exponent": -10}
            for one in chip.instructions(op):
                await chip.run(one)
