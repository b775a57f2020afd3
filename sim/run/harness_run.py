"""One layer through the Verilog of a design in the bare C++ program."""

from collections.abc import Callable
from typing import Any

import numpy as np
from amaranth.lib import wiring

from gateware.engines.kinds import engine_of
from golden.base.errors import ToolError
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.token_scale import Scale
from hw.formats import SCALE
from sim.harness.harness import Task, build_harness, run_harness
from sim.kit.launch import BUILD
from sim.kit.words import pack, unpack
from sim.run.layer_result import LayerRun

MOST = 1000  # cycles for each word that goes in or comes out, before a run is given up


def run_in_harness(
    name: str,
    component: wiring.Component,
    text: str,
    layer: QuantizedLinear,
    x: BitArray,
    factor: Scale | None = None,
    *,
    time_limit: float,
    progress: Callable[[float], None] = lambda share: None,
) -> LayerRun:
    """Simulate an engine's Verilog in the bare C++ program; see :mod:`sim.run.layer_run`."""
    contract = engine_of(component)
    folder = BUILD / f"{name}-harness"
    program = build_harness(folder, text, name, component, time_limit=time_limit)
    streams: Any = component.signature.members
    word, beat = (streams[port].signature.members["payload"].shape for port in ("load_i", "o"))
    feeds = {
        "load_i": [pack(word, one) for one in contract.load_words(layer)],
        "i": list(contract.activation_beats(x)),
    }
    factors = contract.factor_words(len(x), factor)
    wanted = len(x) * contract.output_beats(layer.outputs)
    weight_beats = contract.weight_beats(layer.inputs, layer.outputs, layer.k_top)
    task = Task(
        feeds=feeds,
        beside={"factor_i": [pack(SCALE, one) for one in factors]} if factors else {},
        wanted={"o": wanted},
        memories=contract.memory_images(layer),
        # Far more than an engine takes that does not hang.
        cycles=MOST * (sum(map(len, feeds.values())) + wanted + len(x) * weight_beats + MOST),
    )
    run = run_harness(program, component, task, time_limit=time_limit, watch=progress)
    beats = [unpack(beat, bits) for bits in run.words["o"]]
    ends = np.array([one["last"] for one in beats]).reshape(len(x), -1)
    if not ends[:, -1].all() or ends[:, :-1].any():
        raise ToolError(f"{name}: last is not raised on each token's last beat, and there alone")
    flags = unpack(streams["flags"].shape, run.outputs["flags"])
    weights = run.taken_at[next(iter(contract.WEIGHTS.values()))].astype(np.int64)
    if len(weights) != len(x) * weight_beats:
        raise ToolError(f"{name}: {len(weights)} beats of weights, not {len(x) * weight_beats}")
    weights = weights.reshape(len(x), -1)
    return LayerRun(
        y=contract.outputs([one["lanes"] for one in beats], layer),
        first=weights[:, 0],
        last_weights=weights[:, -1],
        last=run.taken_at["o"].astype(np.int64).reshape(len(x), -1)[:, -1],
        flags={key: bool(on) for key, on in flags.items()},
        simulated=run.cycles,
        seconds=run.seconds,
        waves=None,
    )
