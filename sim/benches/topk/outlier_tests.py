"""Tests that every outlier engine passes: a bench imports them, and has its own beside."""

import cocotb

from sim.kit.outlier_tokens import beats_of, expected, tokens_of
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=4, timeout_unit="ms")
async def finds_outliers(dut, traffic: str) -> None:
    """Send the outliers of each side in order, whatever k_top; a reset leaves nothing behind."""
    bed = await Testbed(dut).start()
    for k_top in sorted({1, min(2, bed.block.spec.outliers_max), bed.block.spec.outliers_max}):
        bed.set(k_top=k_top)
        bed.send("i", beats_of(bed, tokens_of(bed, k_top)))
        await bed.disturb()
        await bed.restart(traffic)
        tokens = tokens_of(bed, k_top)
        bed.send("i", beats_of(bed, tokens))
        reverse = getattr(bed.block, "reverse", False)
        largest, smallest = expected(tokens, k_top, reverse=reverse)
        for port, side in (("largest_o", largest), ("smallest_o", smallest)):
            for n, (got, wanted) in enumerate(
                zip(await bed.receive(port, len(side)), side, strict=True)
            ):
                where = f"{port}, k_top {k_top}, token {n // k_top}, outlier {n % k_top}"
                assert got == wanted, f"{where}: expected {wanted}, got {got}"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def no_outliers_wanted(dut) -> None:
    """With k_top 0 tokens pass and nothing comes out."""
    bed = await Testbed(dut).start(k_top=0)
    await bed.sources["i"].send(beats_of(bed, tokens_of(bed, 1)))
    await bed.cycles(20)
    assert bed.sinks["largest_o"].valid_at == bed.sinks["smallest_o"].valid_at == []
