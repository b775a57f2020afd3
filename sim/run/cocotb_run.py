"""One layer through the Verilog of a design under cocotb, on either simulator."""

from collections.abc import Callable

import numpy as np

from golden.base.errors import ToolError
from golden.base.files import make_folder
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.token_scale import Scale
from sim.kit.launch import BUILD, simulate
from sim.run.layer_file import save_layer
from sim.run.layer_result import LayerRun

LAYER, RESULT, PROGRESS = "KLLM_LAYER", "KLLM_RESULT", "KLLM_PROGRESS"  # the bench's files
DESIGN = "KLLM_DESIGN"


def run_in_cocotb(
    name: str,
    text: str,
    layer: QuantizedLinear,
    x: BitArray,
    factor: Scale | None = None,
    *,
    address: str | None = None,
    simulator: str,
    time_limit: float,
    seed: int = 0,
    progress: Callable[[float], None] = lambda share: None,
) -> LayerRun:
    """Simulate an engine's Verilog under cocotb; see :func:`sim.run.layer_run.run_layer`.

    The bench makes the engine anew to look at, by its address, which mostly is its name.
    """
    folder = make_folder(BUILD / f"{name}-{simulator}")
    files = {LAYER: "layer.npz", RESULT: "result.npz", PROGRESS: "progress"}
    paths = {key: folder / file for key, file in files.items()}
    for path in paths.values():
        path.unlink(missing_ok=True)
    save_layer(paths[LAYER], layer, x, factor)

    def watch() -> None:
        if paths[PROGRESS].exists():
            progress(float(paths[PROGRESS].read_text() or 0))

    run = simulate(
        name,
        text,
        "sim.benches.run.bench_layer_run",
        simulator=simulator,
        seed=seed,
        environment={DESIGN: address or name, **{key: str(path) for key, path in paths.items()}},
        time_limit=time_limit,
        optimise=True,
        watch=watch,
    )
    if not paths[RESULT].exists():
        raise ToolError(f"{name} on {simulator}: the bench left no result")
    with np.load(paths[RESULT], allow_pickle=False) as file:
        nonfinite, overflow = file["flags"].tolist()
        return LayerRun(
            y=file["y"],
            first=file["first"],
            last_weights=file["last_weights"],
            last=file["last"],
            flags={"nonfinite": nonfinite, "overflow": overflow},
            simulated=int(file["simulated"]),
            seconds=float(file["seconds"]),
            waves=run.waves,
        )
