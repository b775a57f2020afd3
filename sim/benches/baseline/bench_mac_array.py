"""cocotb bench for MacArray: layers of many shapes, in every traffic, with resets between."""

import cocotb

from sim.kit.mac_layers import MacLayer
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

SHAPES = ((1, 1), (1, 5), (2, 3), (3, 4), (9, 2), (30, 3), (5, 6))  # beats, groups of tiles


@every_traffic
@cocotb.test(timeout_time=150, timeout_unit="us")
async def sums_tiles(dut, traffic: str) -> None:
    """Every tile has its sums; when nobody pauses the cycles are those of the formula."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for beats, groups in SHAPES:
        layer = MacLayer(bed.rng, spec, beats, groups * spec.interleave)
        bed.set(**{name: table.tolist() for name, table in layer.centroids.items()})
        await bed.restart()
        await bed.send_anew(traffic, i=list(layer.stream()))
        expected = layer.sums()
        await bed.expect("o", expected)
        if traffic == "free":
            began, ended = bed.sources["i"].taken_at[0], bed.sinks["o"].valid_at[-1]
            inputs, outputs = beats * spec.inputs_per_beat, len(expected) * spec.output_lanes
            assert ended - began + 1 == spec.cycles(inputs, outputs)
