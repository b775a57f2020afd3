"""cocotb bench that runs one layer through an engine and writes what came out to a file."""

import os
import time
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from gateware.points import point
from sim.kit.clock import cycle
from sim.kit.engine_testbed import FLAGS, EngineTestbed
from sim.run.cocotb_run import DESIGN, LAYER, PROGRESS, RESULT
from sim.run.layer_file import load_layer

REPORT_CYCLES = 200


@cocotb.test()
async def layer_run(dut) -> None:
    """Load the layer, send every token at full rate, and keep outputs and times."""
    layer, x, factor = load_layer(Path(os.environ[LAYER]))
    block = point(os.environ[DESIGN]).make()
    started = time.process_time()
    bed = await EngineTestbed(dut, block).start()
    await bed.load(layer)
    total = len(x) * bed.contract.output_beats(layer.outputs)
    report = cocotb.start_soon(_report(bed, total))
    y = await bed.run(x, factor)
    report.cancel()
    weights = np.array(bed.weights_at()[0], np.int64)
    beats = bed.contract.weight_beats(layer.inputs, layer.outputs, layer.k_top)
    assert len(weights) == len(x) * beats, "beats of weights"
    weights = weights.reshape(len(x), -1)
    flags = bed.flags()
    np.savez(
        os.environ[RESULT],
        y=y,
        first=weights[:, 0],
        last_weights=weights[:, -1],
        last=np.array(bed.sinks["o"].taken_at, np.int64).reshape(len(x), -1)[:, -1],
        flags=np.array([flags[n] for n in FLAGS], np.bool_),
        simulated=np.array(cycle()),
        seconds=np.array(time.process_time() - started),
    )


async def _report(bed: EngineTestbed, total: int) -> None:
    """Say now and then which share of the output beats has come."""
    path = Path(os.environ[PROGRESS])
    while True:
        path.write_text(f"{len(bed.sinks['o'].items) / total:.4f}")
        for _ in range(REPORT_CYCLES):
            await RisingEdge(bed.dut.clk)
