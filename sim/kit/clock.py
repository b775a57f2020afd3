"""The benches' clock, and reset: everything drives after a rising edge and looks at the falling."""

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.utils import get_sim_time

PERIOD_NS = 10


def start_clock(dut) -> None:
    """Start the clock of ``dut``."""
    Clock(dut.clk, PERIOD_NS, unit="ns").start()


def cycle() -> int:
    """Return the number of the clock cycle that is under way."""
    return int(get_sim_time("ns") // PERIOD_NS)


async def reset(dut, cycles: int = 2) -> None:
    """Hold reset for some cycles; return right after the rising edge that ends it."""
    dut.rst.value = 1
    for _ in range(cycles):
        await RisingEdge(dut.clk)
    dut.rst.value = 0


async def settled(dut) -> None:
    """Wait until what was driven in this cycle has had its effect."""
    await FallingEdge(dut.clk)


async def next_cycle(dut, cycles: int = 1) -> None:
    """Wait until right after a rising edge: now drive the next cycle."""
    for _ in range(cycles):
        await RisingEdge(dut.clk)
