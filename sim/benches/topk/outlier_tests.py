"""Tests that every outlier engine passes: a bench imports them, and has its own beside."""

import cocotb

from sim.kit.outlier_tokens import check_none_wanted, check_tokens
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def finds_outliers(dut, traffic: str) -> None:
    """Send the outliers of each side in order, whatever k_top; a reset leaves nothing behind."""
    await check_tokens(dut, traffic)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_outliers_wanted(dut) -> None:
    """With k_top 0 tokens pass and nothing comes out."""
    await check_none_wanted(dut)
