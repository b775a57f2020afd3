"""A corner of a real layer through the gates of an engine, with the activity of every net."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gateware.design import Design
from golden.base.errors import ToolError
from golden.models.layer_source import model_layer
from sim.kit.launch import BUILD
from sim.run.run import Options, run


@dataclass(frozen=True, kw_only=True)
class GateRun:
    """What ran, bit for bit as the golden model.

    Parameters
    ----------
    folder : Path
        Where the simulation wrote its files.
    first, last : int
        Clock cycles of the window: from the first lookup beat of the first token to the cycle
        before that of the last token, so that every stage works on its token all the time.
    tokens : int
        How many tokens the window is long.
    multiply_adds : int
        Of these tokens: K x N each.
    layer : str
        What ran.
    """

    folder: Path
    first: int
    last: int
    tokens: int
    multiply_adds: int
    layer: str


def gate_folder(name: str) -> Path:
    """Return where the gates of a design run: who reads what they leave keeps others out of it."""
    return BUILD / f"{name}-icarus"


def run_gates(
    design: Design,
    layer: str,
    tokens: int,
    verilog: str,
    progress: Callable[[str, float | None], None],
) -> GateRun:
    """Run the corner of a MiniLM layer that fits an engine on the Verilog of its gates.

    Parameters
    ----------
    design : Design
        A linear engine.
    layer : str
        Layer of MiniLM.
    tokens : int
        How many, at least 2: the window ends where the last one begins.
    verilog : str
        The gates.
    progress : callable
        Told what is being done, and which share of it is.

    Raises
    ------
    InputError
        When there is no such layer or engine.
    ToolError
        When an output differs from the golden model's in any bit.
    """
    options = Options(design=design.address, simulator="icarus")
    source, spec = model_layer(layer, tokens), options.engine.spec
    inputs = min(source.weight.shape[0], spec.inputs_max)
    outputs = min(source.weight.shape[1], spec.outputs_max)
    corner = replace(
        source,
        weight=source.weight[:inputs, :outputs],
        bias=source.bias[:outputs],
        calibration=source.calibration[:, :inputs],
        x=source.x[:, :inputs],
    )
    outcome = run(corner, options, measure_area=None, progress=progress, verilog=verilog)
    if outcome.mismatches:
        raise ToolError(f"{outcome.mismatches} outputs of the gates differ from the golden model")
    first = outcome.run.first
    return GateRun(
        folder=gate_folder(design.name),
        first=int(first[0]),
        last=int(first[-1]) - 1,
        tokens=tokens - 1,
        multiply_adds=(tokens - 1) * inputs * outputs,
        layer=f"{inputs} x {outputs} of {layer}",
    )
