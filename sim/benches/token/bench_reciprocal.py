"""cocotb bench for Reciprocal: all 1024 mantissas."""

import cocotb
import numpy as np

from golden.exact.residual import reciprocal
from golden.exact.spec import SCALE_BITS
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

LEAST = 1 << (SCALE_BITS - 1)
EVERY = np.arange(LEAST, 2 * LEAST)


@cocotb.test(timeout_time=1000, timeout_unit="us")
async def every_mantissa(dut) -> None:
    """Each mantissa gives its reciprocal, after LATENCY cycles and no sooner."""
    bed = await Testbed(dut).start()
    bed.send("i", EVERY)
    got = await bed.receive("o", len(EVERY))
    np.testing.assert_array_equal(got, reciprocal(EVERY))
    # The next one is taken in the cycle after the result was.
    bed.check_pipeline("i", "o", bed.block.LATENCY, interval=bed.block.LATENCY + 1)


@every_traffic
@cocotb.test(timeout_time=60, timeout_unit="us")
async def any_traffic(dut, traffic: str) -> None:
    """Pauses change no result; a reset in the middle leaves nothing behind."""
    bed = await Testbed(dut).start()
    bed.send("i", EVERY)
    await bed.disturb()
    await bed.restart(traffic)
    mantissas = bed.rng.choice(EVERY, 40)
    bed.send("i", mantissas)
    np.testing.assert_array_equal(await bed.receive("o", 40), reciprocal(mantissas))
