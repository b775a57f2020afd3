"""cocotb bench for TokenFramer: tokens of every length, with NaN, infinity and -0."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.fp16 import flush_nonfinite, is_finite, key
from sim.kit.corners import NONFINITE, clean, finite
from sim.kit.testbed import Testbed
from sim.kit.tokens import split
from sim.kit.traffic import every_traffic

TOKENS = 5


@every_traffic
@cocotb.test(timeout_time=80, timeout_unit="us")
async def frames(dut, traffic: str) -> None:
    """Each beat has its number, mask and keys; a reset begins a new token."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    lanes = spec.inputs_per_beat
    for inputs in [1, lanes, spec.inputs_max, *bed.rng.integers(1, spec.inputs_max, 8)]:
        bed.set(inputs=int(inputs))
        beats, expected = tokens_of(bed, int(inputs))
        bed.send("i", beats)
        await bed.disturb()
        await bed.restart(traffic)
        started = bed.strobe("started")
        bed.send("i", beats)
        await bed.expect("o", expected)
        assert len(started) == TOKENS
        if traffic == "free":
            bed.check_pipeline("i", "o", bed.block.LATENCY)
        await bed.restart()


def tokens_of(bed: Testbed, inputs: int) -> tuple[list[list[int]], list[dict[str, Any]]]:
    """Return the beats of random tokens, noise beyond them included, and what comes out."""
    lanes = bed.block.spec.inputs_per_beat
    beats, expected = [], []
    for _ in range(TOKENS):
        x = finite(bed.rng, (inputs,))
        x = np.where(bed.rng.random(inputs) < 0.05, bed.rng.choice(NONFINITE, inputs), x)
        kept = clean(flush_nonfinite(x))
        for address, (beat, last) in enumerate(split(bed.block.spec, x)):
            own = slice(address * lanes, address * lanes + len(beat))
            rest = lanes - len(beat)
            beats.append(beat + bed.rng.choice(NONFINITE, rest).tolist())
            expected.append(
                {
                    "lanes": kept[own].tolist() + [0] * rest,
                    "keys": key(kept[own]).tolist() + [0] * rest,
                    "mask": (1 << len(beat)) - 1,
                    "address": address,
                    "last": last,
                    "nonfinite": int(not is_finite(x[own]).all()),
                }
            )
    return beats, expected
