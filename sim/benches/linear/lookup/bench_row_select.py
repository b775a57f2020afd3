"""cocotb bench for RowSelect: every code, residual rows, unused lanes."""

import cocotb

from sim.kit.lookups import CODES, random_row, table_row
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=5, timeout_unit="us")
async def chooses(dut) -> None:
    """Take the row from the table, or the residual one, or zero."""
    bed = Testbed(dut)
    spec = bed.block.spec
    zero = {name: 0 for name in ("sign",) if spec.numbers.symmetric}
    zero = {**zero, "entries": [0] * spec.entries}
    for _ in range(6):
        table = [random_row(bed.rng, spec)["entries"] for _ in range(spec.entries)]
        residual = random_row(bed.rng, spec)
        for code in range(CODES):
            for compensation in (0, 1):
                for used in (0, 1):
                    chosen = residual if compensation else table_row(spec, table, code)
                    (row,) = await bed.evaluate(
                        "row", product_table=table, residual=residual, code=code,
                        compensation=compensation, used=used,
                    )  # fmt: skip
                    assert row == (chosen if used else zero)
