"""The command ``kllm sim compare``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError, ToolError
from kllm.options import Area, Json, Plot, Seed, Simulator
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from gateware.design import Design

EXAMPLES = """
Examples:

kllm sim compare  -  all engines at N = 4096, k = 21

kllm sim compare orizuru_stream_16 bitonic_16 --no-area  -  cycles of two of them

kllm sim compare --tokens 12 --json engines.json --plot engines.png
"""


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="DESIGN", help="Outlier engines; by default all."),
    ] = None,
    tokens: Annotated[int, typer.Option(help="Random and real vectors, 1 to 64 each.")] = 6,
    seed: Seed = 0,
    minilm: Annotated[bool, typer.Option(help="Take activations of MiniLM, too.")] = True,
    area: Area = True,
    simulator: Simulator = "verilator",
    json_file: Json = None,
    plot: Plot = None,
) -> None:
    """Compare outlier engines: cycles on vectors of several kinds, gates, comparisons.

    Every outlier is compared with a stable sort's; the exit status is 1 if one differs.
    """
    from golden.base.console import working
    from golden.base.files import require_plot
    from sim.kit.simulators import choose_simulator
    from sim.outliers.outlier_table import compare
    from sim.outliers.show import draw, show
    from synth.area.measure_design import measure_design

    designs = choose_designs(names)
    simulator = choose_simulator(simulator)
    if not 1 <= tokens <= 64:
        raise InputError(f"--tokens must be from 1 to 64, got {tokens}")
    if plot and not area:
        raise InputError("--plot draws area against cycles: leave out --no-area")
    require_json(json_file)
    require_plot(plot)
    inputs = max(design.spec.inputs_max for design in designs)
    with working() as say:
        say("vectors")
        kinds = make_kinds(inputs, tokens, seed, minilm=minilm)
        rows = compare(
            designs,
            kinds,
            simulator=simulator,
            measure_area=measure_design if area else None,
            progress=say,
        )
    deliver(json_file, [row.figures() for row in rows], lambda: show(rows, list(kinds)))
    if plot:
        draw(rows, plot)
    if wrong := sum(row.mismatches for row in rows):
        raise ToolError(f"{wrong} outliers differ from the stable sort's")


def choose_designs(names: list[str] | None) -> "list[Design]":
    """Return the engines of these names, or all.

    Raises
    ------
    InputError
        If a name is not that of an outlier engine.
    """
    from gateware.outlier_engines import outlier_designs
    from gateware.points import CATALOGUE
    from golden.base.names import lookup

    known = outlier_designs(CATALOGUE.values())
    return [lookup("outlier engine", name, known) for name in dict.fromkeys(names or known)]


def make_kinds(inputs: int, tokens: int, seed: int, *, minilm: bool) -> dict[str, Any]:
    """Return the vectors of each kind, random ones first."""
    from sim.outliers.outlier_vectors import REAL, made_up, real

    kinds = made_up(inputs, tokens, seed)
    if minilm:
        kinds = {"random": kinds["random"], REAL: real(inputs, tokens), **kinds}
    return kinds
