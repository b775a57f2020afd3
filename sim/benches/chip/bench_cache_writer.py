"""cocotb bench for CacheWriter: keys and values of heads at any position."""

import cocotb
import numpy as np

from golden.chip.instruction import Instruction, Op
from golden.chip.machine import Machine
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.token_scale import ScaleFactor
from sim.kit.chip_units import Steps, piece_sizes, write_pieces
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

MEMORY = 1 << 13
POSITIONS = 64
STEPS = 10
LIMIT = 2000  # cycles, whatever pauses


class Work:
    """A head's vector, its codes and the step that keeps them, at some position."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, rng = bed, bed.rng
        shape = bed.block.spec.shape
        lanes = max(shape.inputs_per_beat, shape.output_lanes)
        count, keys = lanes * int(rng.integers(1, 3)), rng.random() < 0.5
        self.position = int(rng.integers(POSITIONS))
        self.x = rng.normal(size=count).astype(np.float16).view(np.uint16)
        limits = np.sort(rng.integers(1, 128, 7))
        factor = ScaleFactor.mean(count, 1)
        codes, scale = cache_codes(self.x[None], CacheFormat(factor, limits, np.zeros(8, int)))
        self.scale = int(scale[0])
        at_once = bed.block.spec.vector_lanes
        self.items = [
            sum(int(code) << (4 * n) for n, code in enumerate(beat))
            for beat in codes.reshape(-1, at_once)
        ]
        self.one = Instruction(
            op=Op.CACHE,
            b=factor.mantissa,
            d=factor.exponent & 0xFFFF,
            count=count,
            keys=keys,
            address=int(rng.integers(MEMORY // 4 // shape.beat_bytes)) * shape.beat_bytes,
            step=shape.beat_bytes if keys else POSITIONS * shape.output_lanes // 2,
            outputs=int(rng.integers(MEMORY // 4)) * 2,
            extra=sum(int(limit) << 7 * n for n, limit in enumerate(limits)),
        )
        self.words = count // (shape.inputs_per_beat if keys else shape.output_lanes)

    def serve(self) -> None:
        """Send the codes, say which beat is the last, and show the scale from there on."""
        bed = self.bed

        async def control() -> None:
            left = len(self.items)
            while left:
                scale = self.scale if left == 1 else int(bed.rng.integers(1 << 16))
                bed.set(last=int(left == 1), scale=scale)
                await bed.settled()
                left -= bed.port("i__valid") & bed.port("i__ready")
                await bed.cycles()
            bed.set(last=int(bed.rng.integers(2)))

        bed.tasks.append(cocotb.start_soon(control()))
        bed.send("i", self.items)

    def keep(self, machine: Machine) -> None:
        """Let the machine do the same."""
        machine.vectors[: len(self.x)] = self.x
        machine.position = self.position
        machine.cache(self.one)


@every_traffic
@cocotb.test(timeout_time=600, timeout_unit="us")
async def keeps(dut, traffic: str) -> None:
    """Memory is as the machine's: codes and a scale, and no byte more."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    machine = Machine(spec.shape, bed.rng.bytes(MEMORY))
    memory, size = bytearray(machine.memory), piece_sizes(spec)["strobe"]
    work = Work(bed)
    steps = Steps(bed, work.serve)
    await steps.break_off(traffic, work.one, work.position)
    await bed.restart(traffic)
    written = 0
    for _ in range(STEPS):
        work = Work(bed)
        work.serve()
        busy = await steps.run(work.one, work.position, limit=LIMIT)
        work.keep(machine)
        write_pieces(memory, bed.sinks["write_o"].items[written:], size)
        assert memory == machine.memory.tobytes(), work.one.text()
        written += work.words + 1
        if traffic == "free":
            assert busy == len(work.items) + work.words + 2
            behind = np.subtract(bed.sinks["write_o"].valid_at[-1], bed.sources["i"].taken_at[-1])
            assert behind == 3  # the scale, behind the last word
    await bed.receive("write_o", written)
