"""cocotb bench that runs one's own vectors through an outlier engine and writes what it found."""

import os

import cocotb
import numpy as np

from gateware.outlier_engines import make_outlier_engine
from sim.kit.testbed import Testbed
from sim.outliers.orizuru_run import FOUND, TASK, outlier_spec


@cocotb.test()
async def orizuru_run(dut) -> None:
    """Send every token at full rate; keep positions and times."""
    with np.load(os.environ[TASK], allow_pickle=False) as file:
        keys, k, lanes = file["keys"], int(file["k"]), int(file["values_per_beat"])
        engine = str(file["engine"])
    block = make_outlier_engine(engine, outlier_spec(keys.shape[1], k, lanes))
    bed = await Testbed(dut, block).start(k_top=k)
    beats = np.pad(keys, ((0, 0), (0, -keys.shape[1] % lanes))).reshape(len(keys), -1, lanes)
    rest = keys.shape[1] - (beats.shape[1] - 1) * lanes
    masks = [(1 << lanes) - 1] * (beats.shape[1] - 1) + [(1 << rest) - 1]
    bed.send(
        "i",
        (
            {"keys": beat.tolist(), "mask": masks[n], "last": int(n == len(masks) - 1)}
            for token in beats
            for n, beat in enumerate(token)
        ),
    )
    sides = [await bed.receive(port, len(keys) * k) for port in ("largest_o", "smallest_o")]
    sinks = [bed.sinks[port] for port in ("largest_o", "smallest_o")]
    offered = [np.array(sink.valid_at).reshape(-1, k)[:, 0] for sink in sinks]
    taken = [np.array(sink.taken_at).reshape(-1, k)[:, -1] for sink in sinks]
    step = -1 if getattr(block, "reverse", False) else 1
    positions = [np.array([e["position"] for e in side]).reshape(-1, k) for side in sides]
    np.savez(
        os.environ[FOUND],
        positions=np.hstack([side[:, ::step] for side in positions]),
        first_beat=np.array(bed.sources["i"].taken_at).reshape(len(keys), -1)[:, 0],
        first_result=np.maximum(*offered),
        last_result=np.maximum(*taken),
    )
