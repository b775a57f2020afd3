"""cocotb bench for BoardChip: the serial line says the tokens that the golden machine chooses."""

import cocotb

from golden.chip.machine import Machine
from golden.chip.shape import TOKEN_BYTES
from hw.board.board_chip import DIGITS, TAIL
from hw.chip.run import Fault
from sim.benches.board.bench_uart_writer import received
from sim.kit.testbed import Testbed

LINE = DIGITS + len(TAIL)


def chosen(bed: Testbed) -> str:
    """Return what the line must say of a run over the memory as it is at first."""
    block = bed.block
    size = block.spec.axi.word_bytes
    image = b"".join(word.to_bytes(size, "little") for word in block.image)
    machine = Machine(block.spec.shape, image)
    while machine.position < block.limit:
        machine.run(block.program, block.known)
    last = block.tokens + TOKEN_BYTES * (block.limit + 1)
    tokens = machine.memory[block.tokens : last].view("<u4")[block.known :]
    assert len(set(tokens.tolist())) > 2
    return "".join(f"{token:08x}\r\n" for token in tokens)


async def check(bed: Testbed) -> None:
    """Read all lines of a run, and see that it has ended well."""
    expected = chosen(bed)
    said = await received(bed, bed.block.cycles, len(expected))
    assert bytes(said).decode() == expected
    await bed.cycles(20 * bed.block.cycles)
    await bed.settled()
    assert bed.get("tx") == 1, "one more byte"
    assert (bed.get("running"), bed.get("done")) == (0, 1)
    assert Fault(bed.get("fault")) == Fault.NONE


@cocotb.test(timeout_time=300, timeout_unit="us")
async def writes_by_itself(dut) -> None:
    """See a run that nobody asks for, and its tokens."""
    bed = await Testbed(dut).start()
    await check(bed)


@cocotb.test(timeout_time=600, timeout_unit="us")
async def begins_again(dut) -> None:
    """Press the button in the middle of runs; behind it there is a whole one."""
    bed = await Testbed(dut).start()
    for wait in bed.rng.integers(1, 1500, 3).tolist():
        await bed.cycles(wait)
        bed.set(button=1)
        await bed.cycles(int(bed.rng.integers(3, 9)))
        bed.set(button=0)
    await bed.cycles(3)
    await check(bed)
