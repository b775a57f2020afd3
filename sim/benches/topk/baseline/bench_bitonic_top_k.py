"""cocotb bench for BitonicTopK: as for all outlier engines; cycles that no data can change."""

import cocotb
import numpy as np

from sim.benches.topk.outlier_tests import finds_outliers, no_outliers_wanted  # noqa: F401
from sim.kit.clock import cycle
from sim.kit.outlier_tokens import beats_of, expected, tokens_of
from sim.kit.testbed import Testbed


@cocotb.test(timeout_time=200, timeout_unit="us")
async def tells_equals_apart(dut) -> None:
    """Of equal keys in one beat take the lower lanes, when others stood out in beats before."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    k_top = spec.outliers_max
    bed.set(k_top=k_top)
    lanes, tokens = spec.values_per_beat, []
    for sign in (1, -1) * 20:
        beats = np.full((spec.inputs_max // lanes, lanes), 5)
        beats[0, : min(lanes, k_top) - 1] = 9
        beats[:, -1] = 0
        tokens.append(sign * bed.rng.permuted(beats, axis=1).ravel())
    bed.send("i", beats_of(bed, tokens))
    largest, smallest = expected(tokens, k_top)
    await bed.expect("largest_o", largest)
    await bed.expect("smallest_o", smallest)


@cocotb.test(timeout_time=60, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Take a beat per cycle whatever it holds, and one more for a last one that is not full."""
    bed = await Testbed(dut).start()
    spec, latency = bed.block.spec, bed.block.latency
    k_top = spec.outliers_max
    bed.set(k_top=k_top)
    free = cycle() + bed.block.reset_cycles
    tokens = tokens_of(bed, k_top)
    bed.send("i", beats_of(bed, tokens))
    await bed.receive("largest_o", len(tokens) * k_top)
    beats = [-(-len(token) // spec.values_per_beat) for token in tokens]
    taken = np.split(np.array(bed.sources["i"].taken_at), np.cumsum(beats)[:-1])
    known = np.array(bed.sinks["largest_o"].valid_at).reshape(-1, k_top)[:, 0]
    for token, at, at_output in zip(tokens, taken, known, strict=True):
        again = bool(len(token) % spec.values_per_beat)
        assert at[-1] - free == len(at) - 1 + again
        assert at_output - at[-1] == latency
        free = at_output + spec.outliers_max + 1
