"""The command ``kllm power``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from kllm.options import LAYER, Json, Liberty, Sets, SpecFile, own_sizes
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from gateware.design import Design
    from sim.run.gate_run import GateRun
    from synth.libraries.liberty import Library
    from synth.power.power import Energy

EXAMPLES = """
Examples:

kllm power tiny_symmetric  -  energy of a small engine on three tokens

kllm power tiny_symmetric --set output_lanes=8 --set outputs_max=64  -  one with other sizes

kllm power small_symmetric --liberty sky130A --json power.json  -  a larger one, other cells
"""


def command(
    name: Annotated[str, typer.Argument(metavar="DESIGN", help="A linear engine.")],
    layer: Annotated[str, typer.Option(help="Layer of MiniLM; its corner that fits.")] = LAYER,
    tokens: Annotated[int, typer.Option(min=2, help="Tokens of English text.")] = 3,
    sets: Sets = None,
    spec: SpecFile = None,
    liberty: Liberty = None,
    clock_ps: Annotated[
        float | None,
        typer.Option(metavar="PS", min=1.0, help="Clock period; default: the longest path."),
    ] = None,
    json_file: Json = None,
) -> None:
    """Measure the energy of an engine's gates on real tokens.

    The gates run in Icarus on the corner of a MiniLM layer that fits the engine, and every
    output is compared with the golden model. How often each net changed between the first
    token's first beat and the last token's, times the energies of the cell library, gives
    the energy of each part, of a token, and of a multiply-add. Wires, the clock's tree and
    memories are left out, and so is what flickers within a cycle.
    """
    from gateware.points import point
    from golden.base.console import working
    from synth.libraries.libraries import load
    from synth.power.energy import Energies
    from synth.power.table import print_energy

    require_json(json_file)
    chosen, library = point(own_sizes(name, sets, spec) or name), load(liberty or [])
    Energies(library)  # a library without any is refused before the work
    with working() as say:
        found, ran = measure_energy(chosen, library, layer, tokens, clock_ps, say)
    figures = found.as_json(ran.tokens, ran.multiply_adds) | {"layer": ran.layer}
    deliver(json_file, figures, lambda: print_energy(found, figures))


def measure_energy(
    chosen: "Design",
    library: "Library",
    layer: str,
    tokens: int,
    clock_ps: float | None,
    say: Any,
) -> "tuple[Energy, GateRun]":
    """Return the energy of an engine's gates on tokens, and the run that it was measured in."""
    from golden.base.locks import alone_in
    from sim.run.gate_run import gate_folder, run_gates
    from synth.area.measure_design import measure
    from synth.power.activity import read_activity
    from synth.power.power import DUMP, energy, flat_gates

    say(f"gates of {chosen.name}")
    gates = flat_gates(chosen, library)
    period = clock_ps or measure(chosen, library).delay_ps
    with alone_in(gate_folder(chosen.name)):
        ran = run_gates(chosen, layer, tokens, gates.verilog, say)
        say("energies")
        activity = read_activity(ran.folder / DUMP, "clk", ran.first, ran.last)
    return energy(chosen.name, gates.netlist, activity, library, clock_ps=period), ran
