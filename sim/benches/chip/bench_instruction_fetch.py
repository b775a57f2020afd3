"""cocotb bench for InstructionFetch: programs in their order, stopped behind each NEXT."""

import cocotb

from golden.chip.instruction import BYTES, Instruction, Op
from hw.chip.chip_spec import INSTRUCTION
from hw.chip.instruction_fetch import InstructionFetch
from sim.kit.chip_units import send_words
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.words import unpack

MEMORY = 1 << 12
PARTS = 4  # of a program; a NEXT ends each
MOST = 9  # instructions of a part


class Program:
    """Instructions anywhere in memory, any but for their operation."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, rng = bed, bed.rng
        self.parts = [
            [self._any() for _ in range(int(rng.integers(MOST)))] + [self._any(Op.NEXT)]
            for _ in range(PARTS)
        ]
        code = b"".join(one for part in self.parts for one in part)
        self.address = int(rng.integers((MEMORY - len(code)) // BYTES)) * BYTES
        self.memory = bytearray(rng.bytes(MEMORY))
        self.memory[self.address : self.address + len(code)] = code
        self.asked = self.before = self.most = 0

    def _any(self, op: Op = Op.ADD) -> bytes:
        return Instruction(op=op).pack()[:1] + self.bed.rng.bytes(BYTES - 1)

    def serve(self) -> None:
        """Begin to answer; a reset ends it."""
        self.asked = len(self.bed.sinks["request_o"].items)
        self.before = self.asked - len(self.bed.sinks["o"].items)
        self.bed.tasks.append(cocotb.start_soon(self._answer()))

    async def _answer(self) -> None:
        bed, size = self.bed, self.bed.block.spec.bus_bytes
        while True:
            requests = bed.sinks["request_o"].items
            if self.asked == len(requests):
                await bed.cycles()
                continue
            one = requests[self.asked]
            self.asked += 1
            waiting = self.asked - self.before - len(bed.sinks["o"].items)
            self.most = max(self.most, waiting)
            assert waiting <= InstructionFetch.DEPTH, "there is no room"
            assert one["address"] % size == 0
            assert one["words"] == max(1, BYTES // size)
            await send_words(bed, self.memory, one)


@every_traffic
@cocotb.test(timeout_time=900, timeout_unit="us")
async def fetches(dut, traffic: str) -> None:
    """Each part comes whole and alone, and the next one when it is wanted."""
    bed = await Testbed(dut).start()
    program = Program(bed)
    for wait in bed.burst():
        program.serve()
        await bed.pulse("start", program=program.address)
        await bed.cycles(wait)
        await bed.restart(traffic)
    await bed.restart(traffic)
    program.serve()
    for _ in range(2):  # the second from the beginning, as for the next token
        for n, part in enumerate(program.parts):
            before = len(bed.sinks["o"].items)
            if n == 0:
                await bed.pulse("start", program=program.address)
            else:
                await bed.pulse("resume", program=int(bed.rng.integers(MEMORY)))
            await bed.receive("o", before + len(part))
            wanted = [unpack(INSTRUCTION, int.from_bytes(one, "little")) for one in part]
            assert bed.sinks["o"].items[before:] == wanted
            asked = len(bed.sinks["request_o"].items)
            await bed.cycles(20)
            assert len(bed.sinks["request_o"].items) == asked, "it goes on behind NEXT"
            assert len(bed.sinks["o"].items) == before + len(part)
    if traffic == "slow_out":
        assert program.most == InstructionFetch.DEPTH
