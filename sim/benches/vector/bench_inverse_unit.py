"""cocotb bench for InverseUnit: sums of every length, inverses and those of roots mixed."""

from itertools import product

import cocotb

from golden.exact.norms import HEAD_BITS, Total, inverse, inverse_root
from sim.kit.codebooks import scale_word
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 150


def totals(bed: Testbed) -> list[int]:
    """Return sums: of each length the least and the most, many heads, and zero."""
    bits = bed.block.bits
    ends = [value for n in range(bits) for value in (1 << n, (2 << n) - 1)]
    heads = bed.rng.integers(1 << HEAD_BITS - 1, 1 << HEAD_BITS, COUNT).tolist()
    shifts = bed.rng.integers(bits - HEAD_BITS, size=COUNT, endpoint=True).tolist()
    rests = bed.rng.integers(2, size=COUNT).tolist()
    drawn = [(h << s) + r * ((1 << s) - 1) for h, s, r in zip(heads, shifts, rests, strict=True)]
    return [0, *ends, *drawn]


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def inverses(dut, traffic: str) -> None:
    """Each sum gives its scale, of itself or of its root."""
    bed = await Testbed(dut).start()
    values = totals(bed)
    cases = bed.rng.permutation(list(product(range(len(values)), (0, 1))))
    scales = [function(Total.of(values)) for function in (inverse, inverse_root)]
    sums = [{"total": values[n], "root": int(root)} for n, root in cases]
    await bed.send_anew(traffic, i=sums)
    got = await bed.receive("o", len(sums))
    assert got == [scale_word(scales[root], n) for n, root in cases]
    if traffic == "free":
        bed.check_pipeline("i", "o", bed.block.LATENCY)
