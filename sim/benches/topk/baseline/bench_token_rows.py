"""cocotb bench for TokenRows: rows read while others still come, and the last one's lanes."""

import cocotb

from sim.kit.outlier_tokens import beats_of, tokens_of
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_rows(dut, traffic: str) -> None:
    """Any row that is there can be read; the next token comes after ``clear`` alone."""
    bed = await Testbed(dut).start(traffic)
    tokens = tokens_of(bed, 1)
    bed.send("i", beats_of(bed, tokens))
    lanes = bed.block.spec.values_per_beat
    for token in tokens:
        rows = [token[start : start + lanes] for start in range(0, len(token), lanes)]
        read = 0
        while read < 2 * len(rows):
            await bed.settled()
            count = bed.get("count")
            assert bed.get("complete") == (count == len(rows))
            # In order while they come, then at random.
            row = read if read < len(rows) else int(bed.rng.integers(len(rows)))
            bed.set(row=row)
            await bed.cycles()
            if row >= count:
                continue
            await bed.settled()
            keys, valid = bed.get("keys"), bed.get("valid")
            assert valid == (1 << len(rows[row])) - 1
            assert keys[: len(rows[row])] == list(rows[row])
            read += 1
        await bed.cycles()
        await bed.pulse("clear")
