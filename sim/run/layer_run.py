"""One layer through the Verilog of a design: what came out, and when."""

from collections.abc import Callable

from gateware.cached import cached_simulation_verilog
from gateware.points import point
from golden.base.locks import alone_in
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.token_scale import Scale
from hw.stream.share import looked_at
from sim.kit.launch import BUILD, text_of, wants_waves
from sim.run.cocotb_run import run_in_cocotb
from sim.run.harness_run import run_in_harness
from sim.run.layer_result import LayerRun


def run_layer(
    address: str,
    layer: QuantizedLinear,
    x: BitArray,
    factor: Scale | None = None,
    *,
    simulator: str,
    seed: int = 0,
    time_limit: float = 3600,
    verilog: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> LayerRun:
    """Simulate a design's Verilog on a layer and tokens.

    Verilator's model runs in a bare C++ program, but where a waveform is wanted: then, and on
    Icarus, cocotb drives it.

    Parameters
    ----------
    address : str
        Design point, see :func:`gateware.points.point`.
    layer : QuantizedLinear
        Fits the design.
    x : (T, K) uint16
        FP16 patterns.
    factor : Scale, optional
        (T,) for a design that takes factors of tokens; 1 by default.
    simulator : str
        ``icarus`` or ``verilator``.
    seed : int
        Of the simulator.
    time_limit : float
        Seconds of the processors' time, for the build and again for the run.
    verilog : str, optional
        What to simulate in place of the design's own Verilog: its gates.
    progress : callable, optional
        Called now and then with the share of the outputs that have come, 0 to 1.

    Raises
    ------
    ToolError
        When the simulation fails.
    """
    design = point(address)
    name, component = design.name, looked_at(design.make())
    waves = wants_waves()
    text = verilog or (text_of(component, name) if waves else cached_simulation_verilog(design))
    say = progress or (lambda share: None)
    bare = simulator == "verilator" and not waves
    with alone_in(BUILD / f"{name}-{'harness' if bare else simulator}"):
        if bare:
            return run_in_harness(
                name, component, text, layer, x, factor, time_limit=time_limit, progress=say
            )
        return run_in_cocotb(
            name,
            text,
            layer,
            x,
            factor,
            address=address,
            simulator=simulator,
            seed=seed,
            time_limit=time_limit,
            progress=say,
        )
