"""One layer through the Verilog of a design: what came out, and when."""

from collections.abc import Callable

import numpy as np

from gateware.catalog import design
from golden.base.errors import ToolError
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from sim.kit.launch import BUILD, simulate, text_of, wants_waves
from sim.run.harness_run import run_in_harness
from sim.run.layer_file import save_layer
from sim.run.layer_result import LayerRun

LAYER, RESULT, PROGRESS = "KLLM_LAYER", "KLLM_RESULT", "KLLM_PROGRESS"  # the bench's files
DESIGN = "KLLM_DESIGN"


def run_layer(
    name: str,
    layer: QuantizedLinear,
    x: BitArray,
    *,
    simulator: str,
    seed: int = 0,
    time_limit: float = 3600,
    optimise: bool = True,
    verilog: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> LayerRun:
    """Simulate a design's Verilog on a layer and tokens.

    Verilator's model runs in a bare C++ program, but where a waveform is wanted: then, and on
    Icarus, cocotb drives it.

    Parameters
    ----------
    name : str
        Design point.
    layer : QuantizedLinear
        Fits the design.
    x : (T, K) uint16
        FP16 patterns.
    simulator : str
        ``icarus`` or ``verilator``.
    seed : int
        Of the simulator.
    time_limit : float
        Seconds of the processors' time, for the build and again for the run.
    optimise : bool
        Spend longer on Verilator's build under cocotb, for more than some thousand cycles.
    verilog : str, optional
        What to simulate in place of the design's own Verilog: its gates.
    progress : callable, optional
        Called now and then with the share of the outputs that have come, 0 to 1.

    Raises
    ------
    ToolError
        When the simulation fails.
    """
    text = verilog or text_of(design(name).make(), name)
    if simulator == "verilator" and not wants_waves():
        return run_in_harness(
            name, text, layer, x, time_limit=time_limit, progress=progress or (lambda share: None)
        )
    folder = BUILD / f"{name}-{simulator}"
    folder.mkdir(parents=True, exist_ok=True)
    files = {LAYER: "layer.npz", RESULT: "result.npz", PROGRESS: "progress"}
    paths = {key: folder / file for key, file in files.items()}
    for path in paths.values():
        path.unlink(missing_ok=True)
    save_layer(paths[LAYER], layer, x)

    def watch() -> None:
        if progress and paths[PROGRESS].exists():
            progress(float(paths[PROGRESS].read_text() or 0))

    run = simulate(
        name,
        text,
        "sim.benches.run.bench_layer_run",
        simulator=simulator,
        seed=seed,
        environment={DESIGN: name, **{key: str(path) for key, path in paths.items()}},
        time_limit=time_limit,
        optimise=optimise,
        watch=watch,
    )
    if not paths[RESULT].exists():
        raise ToolError(f"{name} on {simulator}: the bench left no result")
    with np.load(paths[RESULT], allow_pickle=False) as file:
        nonfinite, saturated, overflow = file["flags"].tolist()
        return LayerRun(
            y=file["y"],
            first=file["first"],
            last_weights=file["last_weights"],
            last=file["last"],
            flags={"nonfinite": nonfinite, "saturated": saturated, "overflow": overflow},
            simulated=int(file["simulated"]),
            seconds=float(file["seconds"]),
            waves=run.waves,
        )
