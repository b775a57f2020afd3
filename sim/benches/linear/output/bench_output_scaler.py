"""cocotb bench for OutputScaler: rounding ties, cancellation, subnormals and overflow."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import is_finite
from golden.exact.output_scaling import scale_sums
from golden.exact.token_scale import Scale
from sim.kit.codebooks import scale_word
from sim.kit.corners import finite
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 1500


def terms(bed: Testbed) -> tuple[list[dict[str, Any]], list[dict[str, int]]]:
    """Return random terms and their results.

    A third has scales that are powers of two, so that sums of twelve bits are ties; biases there
    are tiny, to break the ties. Another third cancels the product but for its lowest bits.
    """
    rng, largest = bed.rng, (1 << (bed.block.sum_bits - 1)) - 1
    sums = rng.integers(-largest, largest + 1, COUNT) >> rng.integers(0, 20, COUNT)
    sums[:4] = (largest, -largest, 0, 0)
    mantissas = rng.integers(1024, 2048, (2, COUNT))
    # From far below the smallest FP16 number to far above the largest.
    exponents = np.array([rng.integers(-34, 7, COUNT), rng.integers(-40, 12, COUNT)])
    exponents[:, 4:12] = rng.choice([-64, 63], (2, 8))
    bias = finite(rng, (COUNT,))
    # A sum of zero is nothing, however large the scales, and leaves a small bias as it is.
    nothing = slice(12, 24)
    sums[nothing], exponents[:, nothing] = 0, rng.integers(0, 63, (2, 12))
    bias[nothing] = rng.choice(np.array([0, 0x8000, 1, 0x83FF], np.uint16), 12)

    kind = np.where(np.arange(COUNT) < nothing.stop, 0, np.arange(COUNT) % 3)
    ties = kind == 1
    mantissas[:, ties] = 1024
    sums[ties] = (sums >> 6)[ties] | 1
    bias[ties] = rng.choice(np.array([0, 0x8000, 1, 0x8001, 0x3C00, 0xBC00], np.uint16), COUNT)[
        ties
    ]
    exponents[0, ties] = rng.integers(-24, -6, COUNT)[ties]
    exponents[1, ties] = rng.integers(-24, -8, COUNT)[ties]

    scale, channel = (Scale(mantissas[n], exponents[n]) for n in range(2))
    cancels = kind == 2
    opposite = scale_sums(-sums, scale, channel, np.zeros(COUNT, np.uint16))
    bias = np.where(cancels & is_finite(opposite), opposite, bias)

    y = scale_sums(sums, scale, channel, bias)
    used, last = rng.integers(0, 2, (2, COUNT))
    sent = [
        {
            "sum": int(sums[n]),
            "scale": scale_word(scale, n),
            "triples": triples_word(int(scale.mantissa[n])),
            "channel": {"bias": int(bias[n]), **scale_word(channel, n)},
            "used": int(used[n]),
            "last": int(last[n]),
        }
        for n in range(COUNT)
    ]
    infinite = used & ~is_finite(y)
    results = zip(y.tolist(), infinite.tolist(), last.tolist(), strict=True)
    return sent, [dict(zip(("y", "infinite", "last"), result, strict=True)) for result in results]


def triples_word(mantissa: int) -> dict[str, int]:
    """Return three times a mantissa, and what is left of it where two rows lose low columns."""
    first = (mantissa >> 4) + (mantissa >> 3)
    return {"first": first, "second": (mantissa >> 2) + (mantissa >> 1), "others": 3 * mantissa}


@every_traffic
@cocotb.test(timeout_time=250, timeout_unit="us")
async def rounds_once(dut, traffic: str) -> None:
    """Every result is the golden one; a reset in the middle leaves nothing behind."""
    bed = await Testbed(dut).start()
    bed.send("i", terms(bed)[0])
    await bed.disturb()
    await bed.restart(traffic)
    sent, expected = terms(bed)
    bed.send("i", sent)
    got = await bed.receive("o", COUNT)
    wrong = [n for n in range(COUNT) if got[n] != expected[n]]
    assert not wrong, f"{sent[wrong[0]]} gave {got[wrong[0]]}, not {expected[wrong[0]]}"
    assert {result["infinite"] for result in got} == {0, 1}
    if traffic == "free":
        bed.check_pipeline("i", "o", bed.block.latency)
