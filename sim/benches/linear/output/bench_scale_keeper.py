"""cocotb bench for ScaleKeeper: each token's scale for each of its tiles, in the order of turns."""

from typing import Any

import cocotb
import numpy as np

from hw.formats import SCALE
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.words import unpack, width

LAYERS = 12


def any_word(rng: np.random.Generator, shape: Any) -> Any:
    """Return any value of a shape."""
    return unpack(shape, int(rng.integers(1 << width(shape))))


@every_traffic
@cocotb.test(timeout_time=400, timeout_unit="us")
async def keeps(dut, traffic: str) -> None:
    """Scales come as they were sent for the first tile, and again for each other."""
    bed = await Testbed(dut).start()
    spec, rng = bed.block.spec, bed.rng
    shape = bed.shape("shape")
    bed.set(shape=any_word(rng, shape) | {"outputs": spec.outputs_max}, together=2)
    bed.send("i", [any_word(rng, SCALE) for _ in range(5)])
    await bed.disturb()
    await bed.restart(traffic)
    expected: list[dict[str, int]] = []
    for _ in range(LAYERS):
        outputs = int(rng.integers(1, spec.outputs_max, endpoint=True))
        together = int(rng.integers(spec.tokens_together, endpoint=True))
        bed.set(shape=any_word(rng, shape) | {"outputs": outputs}, together=together)
        tiles, scales = -(-outputs // spec.output_lanes), []
        for _ in range(int(rng.integers(1, 4))):
            batch = [any_word(rng, SCALE) for _ in range(max(together, 1))]
            scales += batch
            expected += batch * tiles
        bed.send("i", scales)
        await bed.receive("o", len(expected))
    await bed.expect("o", expected)
    if traffic == "free":
        assert np.diff(bed.sinks["o"].valid_at).min() == 1
