"""cocotb bench for RowSelect and RowMaker: codes, residual rows, unused lanes."""

import cocotb

from sim.kit.codebooks import weight_words
from sim.kit.lookups import made_row, random_row, table_row
from sim.kit.testbed import Testbed

CODES = 32  # at most so many of a row maker's 256 at a time


@cocotb.test(timeout_time=5, timeout_unit="us")
async def chooses(dut) -> None:
    """Take the row from the table, or make it; or the residual one, or zero."""
    bed = Testbed(dut)
    spec = bed.block.spec
    zero = {name: 0 for name in ("sign",) if spec.numbers.symmetric}
    zero = {**zero, "entries": [0] * spec.entries}
    for _ in range(6):
        if spec.numbers.made:
            row_of, held = made_row, random_row(bed.rng, spec)["entries"]
            bed.set(w_centroids=weight_words(spec, held), triples=[3 * abs(c) for c in held])
        else:
            row_of, held = (
                table_row,
                [random_row(bed.rng, spec)["entries"] for _ in range(spec.levels)],
            )
            bed.set(product_table=held)
        residual = random_row(bed.rng, spec)
        codes = range(1 << spec.code_bits)
        for code in bed.rng.choice(codes, min(len(codes), CODES), replace=False).tolist():
            for compensation in (0, 1):
                for used in (0, 1):
                    chosen = residual if compensation else row_of(spec, held, code)
                    (row,) = await bed.evaluate(
                        "row", residual=residual, code=code,
                        compensation=compensation, used=used,
                    )  # fmt: skip
                    assert row == (chosen if used else zero)
