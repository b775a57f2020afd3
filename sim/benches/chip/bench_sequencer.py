"""cocotb bench for Sequencer: made-up programs, position after position, and what ends them."""

import struct
from dataclasses import dataclass, replace
from typing import Any

import cocotb
import numpy as np

from golden.chip.instruction import BYTES, Index, Instruction, Op, with_parity
from golden.chip.rules import WHOLE_WORDS
from golden.chip.shape import TOKEN_BYTES
from hw.chip.chip_spec import INSTRUCTION
from hw.chip.run import Fault
from sim.kit.chip_units import piece_sizes, send_words, write_pieces
from sim.kit.clock import cycle
from sim.kit.made_up_unit import Unit
from sim.kit.noting_machine import UNITS, Notes
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.words import unpack

POSITIONS = 12
TOKENS, PROGRAM, END = 0, 256, 4096
VOCABULARY = 1000
RUNS = 3


@dataclass
class Run:
    """What a host asks for."""

    first: int
    known: int
    limit: int
    end_token: int
    ends: int
    program: int = PROGRAM


def any_program(bed: Testbed) -> list[Instruction]:
    """Return a program: any steps, a token taken before, one chosen behind."""
    rng = bed.rng

    def some(most: int) -> list[Instruction]:
        return [any_step(rng) for _ in range(int(rng.integers(1, most)))]

    known = Instruction(op=Op.NEXT, scaled=True)
    by_position: dict[str, Any] = {"index": Index.POSITION, "stride": TOKEN_BYTES}
    take = Instruction(op=Op.TAKE, address=TOKENS, **by_position)
    choose = Instruction(op=Op.CHOOSE, count=3)
    end = Instruction(op=Op.NEXT, address=TOKENS + TOKEN_BYTES, **by_position)
    begins = [replace(one, index=Index.POSITION) for one in some(3)]  # there is no token yet
    return [*begins, take, *some(6), known, *some(4), choose, *some(3), end]


def any_step(rng: np.random.Generator) -> Instruction:
    """Return any instruction of a unit, but for those that choose."""
    op = UNITS[int(rng.integers(len(UNITS) - 1))]
    flags = int(rng.integers(64)) | 128 * int(rng.integers(2))
    word = Instruction(op=op).pack()[:1] + bytes([flags]) + rng.bytes(BYTES - 2)
    one = Instruction.unpack(with_parity(word))
    return replace(one, op=Op.ADD) if one.op == Op.CHOOSE else one


class Chip:
    """The units, the memory and the host around the sequencer, all made up."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.spec = bed, bed.block.spec
        self.program = any_program(bed)
        code = b"".join(one.pack() for one in self.program)
        self.memory = bytearray(bed.rng.bytes(END))
        self.memory[PROGRAM : PROGRAM + len(code)] = code
        tokens = bed.rng.integers(VOCABULARY, size=POSITIONS + 1).tolist()
        struct.pack_into(f"<{len(tokens)}I", self.memory, TOKENS, *tokens)
        self.choices = bed.rng.integers(4, size=POSITIONS).tolist()
        self.steps: list[dict[str, int]] = []
        self.begun: list[int] = []
        self.beside: list[bool] = []  # whether LINEAR was under way
        self.ended: dict[int, int] = {}

    def serve(self) -> None:
        """Begin, after a reset or before a run."""
        self.steps, self.begun, self.beside, self.ended = [], [], [], {}
        self.asked: list[int] = []
        self.written = self.answered = 0
        for name in ("request_o", "write_o"):
            for each in (self.bed.sinks[name].items, self.bed.sinks[name].valid_at):
                each.clear()
        self.bed.set(busy=0, chosen=VOCABULARY, asking=0, writing=0, refused=0, wrong=0, read=1)
        self.bed.set(linear_busy=0, linear_asking=0, may=0)
        work = (self._units(), self._answer(), self._fetch())
        tasks = [cocotb.start_soon(each) for each in work]
        self.bed.tasks += tasks
        self.tasks = tasks

    async def _fetch(self) -> None:
        """Send the program up to a NEXT whenever that is wanted."""
        bed, at = self.bed, 0
        while True:
            await bed.settled()
            begins, resumes = bed.get("fetch"), bed.get("resume")
            await bed.cycles()
            if begins or resumes:
                at = 0 if begins else at
                ends = (n for n, one in enumerate(self.program) if n >= at and one.op == Op.NEXT)
                end = next(ends) + 1
                places = range(PROGRAM + BYTES * at, PROGRAM + BYTES * end, BYTES)
                words = [int.from_bytes(self.memory[n : n + BYTES], "little") for n in places]
                bed.send("instruction_i", [unpack(INSTRUCTION, word) for word in words])
                at = end

    async def _units(self) -> None:
        """Be busy for some cycles with each step, and for some of these ask or write.

        LINEAR's unit is one, all others are another: as ``may`` says, they work at the same time.
        """
        bed, choices = self.bed, iter(self.choices)
        units = {"linear_": Unit(bed, "linear_"), "": Unit(bed, "")}
        ahead, ran = None, False  # whether LINEAR was under way in the cycle before
        while True:
            await bed.settled()
            starts, asks = bed.get("starts"), bed.get("asks")
            if asks:
                ahead = bed.get("ahead")
                assert asks == 1 << ahead["op"]
                assert ahead["op"] in WHOLE_WORDS
                self._may_ask(units, ahead)
                self.asked.append(len(self.steps))
                units["linear_" if ahead["op"] == Op.LINEAR else ""].asks()
            for unit in units.values():
                unit.check()
            if bed.port("request_o__valid") or bed.port("write_o__valid"):
                assert not units[""].writing, "what was written before has no answer yet"
            if starts:
                kind = "linear_" if starts == 1 << Op.LINEAR else ""
                shown = bed.get(f"{kind}step")
                assert starts == 1 << shown["op"]
                reads = shown["op"] in WHOLE_WORDS
                assert reads == (self.asked[-1:] == [len(self.steps)]), "begun, not asked for"
                assert not reads or (shown == ahead and not units[kind].asking)
                assert not units[""].left, "a step begins while a unit is busy"
                beside = bool(units["linear_"].left)
                assert not beside or (not kind and bed.port("may")), "it may not begin yet"
                self.steps.append(shown)
                self.begun.append(cycle())
                self.beside.append(beside or ran)
                units[kind].begin(len(self.steps) - 1, shown)
            ran = bool(units["linear_"].left)
            await bed.cycles()
            for unit in units.values():
                if (ended := unit.pass_cycle()) is not None:
                    self.ended[ended] = cycle()
                    if unit.shown["op"] == Op.CHOOSE:
                        bed.set(chosen=next(choices))
            if starts:
                bed.set(may=int(bed.rng.integers(2)))

    def _may_ask(self, units: dict[str, "Unit"], ahead: Any) -> None:
        """Check that nothing else is asked for or written, or that LINEAR alone goes on."""
        other, linear = units[""], units["linear_"]
        assert not other.asking, "asked while a unit asks"
        assert not other.writing, "asked while a unit may write"
        if linear.left and ahead["op"] != Op.LINEAR:
            assert not other.left, "it will not begin at once"
            assert self.bed.port("may"), "it will not begin before LINEAR has ended"
        else:
            assert not linear.asking, "asked while LINEAR asks"

    async def _answer(self) -> None:
        """Answer what is asked of memory, the tokens in it that were written before."""
        bed = self.bed
        piece = piece_sizes(self.spec)["strobe"]
        while True:
            asked, written = bed.sinks["request_o"].items, bed.sinks["write_o"].items
            write_pieces(self.memory, written[self.written :], piece)
            self.written = len(written)
            if self.answered == len(asked):
                await bed.cycles()
                continue
            one = asked[self.answered]
            self.answered += 1
            await send_words(bed, self.memory, one)

    def any_run(self) -> Run:
        """Return what a host may ask for."""
        rng = self.bed.rng
        first, known, limit = np.sort(rng.integers(POSITIONS, size=3)).tolist()
        return Run(first, known, limit + 1, int(rng.integers(4)), int(rng.integers(2)))

    async def start(self, run: Run) -> None:
        """Start a run."""
        await self.bed.pulse("run__start", **{f"run__{n}": v for n, v in vars(run).items()})

    def expect(self, run: Run) -> tuple[Notes, list[tuple[int, int]]]:
        """Return the machine that has done a run, and what it reads from memory."""
        machine = Notes(self.spec.shape, bytes(self.memory), self.choices)
        machine.position = run.first
        size, asked = self.spec.bus_bytes, list[tuple[int, int]]()
        while True:
            asked.append((TOKENS + TOKEN_BYTES * machine.position, 1))
            chosen = machine.run(PROGRAM, run.known)
            ends = run.ends and chosen == run.end_token
            if chosen is not None and (ends or machine.position == run.limit):
                return machine, [(address // size * size, words) for address, words in asked]

    def end(self) -> None:
        """Stop serving."""
        for task in self.tasks:
            task.cancel()


@every_traffic
@cocotb.test(timeout_time=4000, timeout_unit="us")
async def runs(dut, traffic: str) -> None:
    """Each step is the machine's, so are the tokens, and nothing else is read."""
    bed = await Testbed(dut).start()
    chip = Chip(bed)
    for wait in bed.burst():
        chip.serve()
        await chip.start(chip.any_run())
        await bed.cycles(wait)
        await bed.restart(traffic)
        assert not bed.get("running")
    await bed.restart(traffic)
    finished = bed.strobe("finished")
    for n in range(RUNS):
        chip.serve()
        run = chip.any_run()
        machine, asked = chip.expect(run)
        await chip.start(run)
        await bed.until("finished")
        await bed.cycles()
        assert not bed.get("running")
        assert bed.get("fault") == Fault.NONE.value
        assert len(finished) == n + 1
        await bed.receive("request_o", len(asked))
        assert [tuple(one.values()) for one in bed.sinks["request_o"].items] == asked
        for at, (got, wanted) in enumerate(zip(chip.steps, machine.steps, strict=True)):
            assert got == wanted, f"step {at}: expected {wanted}, got {got}"
        assert chip.memory == machine.memory.tobytes()
        chip.end()
        if traffic == "free":
            ended = np.maximum.accumulate([chip.ended[n] for n in range(len(chip.begun))])
            gaps = np.subtract(chip.begun[1:], ended[:-1])[~np.array(chip.beside[1:])]
            assert gaps.min() == 1, "the next one is ready by then"


@cocotb.test(timeout_time=4000, timeout_unit="us")
async def faults(dut) -> None:
    """End a run with the fault that it is told of, or at what is no instruction."""
    bed = await Testbed(dut).start()
    chip = Chip(bed)
    for n in range(8):
        chip.serve()
        run = Run(0, 1, POSITIONS, 0, 0)
        machine, _ = chip.expect(run)
        place = int(bed.rng.integers(len(chip.program)))
        at = PROGRAM + BYTES * place
        kept = chip.memory[at]
        if n % 2:
            chip.memory[at] = int(bed.rng.integers(16, 256))
        await chip.start(run)
        fault = Fault.INSTRUCTION
        if n % 2 == 0:
            await bed.cycles(int(bed.rng.integers(300)))
            fault = (Fault.MEMORY, Fault.NUMBER, Fault.STOPPED)[int(bed.rng.integers(3))]
            bed.set(stop=fault.value)
        await bed.until("finished")
        await bed.settled()
        assert bed.get("fault") == fault.value
        assert not bed.get("running")
        before = [one.op in UNITS for one in chip.program[:place]]
        count = sum(before) if n % 2 else len(chip.steps)
        assert chip.steps == machine.steps[:count]
        assert not bed.port("busy"), "it ends behind the instruction at hand"
        assert not bed.port("linear_busy"), "and behind LINEAR"
        assert not bed.port("writing"), "and when all that was written is answered"
        await bed.cycles(30)
        assert len(chip.steps) == count
        chip.memory[at] = kept
        bed.set(stop=0)
        chip.end()
        await bed.cycles()
