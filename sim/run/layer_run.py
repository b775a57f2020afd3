"""One layer through the Verilog of a design: what came out, and when."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gateware.points import point
from golden.base.errors import ToolError
from golden.base.files import make_folder
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from sim.kit.launch import BUILD, simulate
from sim.run.layer_file import save_layer

LAYER, RESULT, PROGRESS = "KLLM_LAYER", "KLLM_RESULT", "KLLM_PROGRESS"  # the bench's files
DESIGN = "KLLM_DESIGN"


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """What a simulation gave.

    Parameters
    ----------
    y : (T, N) uint16
        FP16 patterns of the engine's outputs.
    first, last_weights, last : (T,) int64
        Clock cycle of each token's first and last lookup beat, and of its last output beat.
    flags : dict
        The engine's sticky flags.
    simulated : int
        Clock cycles in all, loading included.
    seconds : float
        What they took, without the simulator's build.
    waves : Path or None
        The waveform, if one was recorded.
    """

    y: BitArray
    first: npt.NDArray[np.int64]
    last_weights: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    flags: dict[str, bool]
    simulated: int
    seconds: float
    waves: Path | None

    @property
    def cycles(self) -> npt.NDArray[np.int64]:
        """Cycles of each token from its first lookup beat to its last output beat, both in."""
        return self.last - self.first + 1

    @property
    def intervals(self) -> npt.NDArray[np.int64]:
        """Cycles from one token's first lookup beat to the next one's."""
        return np.diff(self.first)


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
        Seconds for build and run.
    optimise : bool
        Spend longer on Verilator's build, for a run of more than some thousand cycles.
    verilog : str, optional
        What to simulate in place of the design's own Verilog: its gates.
    progress : callable, optional
        Called now and then with the share of the outputs that have come, 0 to 1.

    Raises
    ------
    ToolError
        When the simulation fails.
    """
    folder = make_folder(BUILD / f"{name}-{simulator}")
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
        verilog or point(name).verilog(),
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
