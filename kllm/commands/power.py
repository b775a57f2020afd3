"""The command ``kllm power``."""

from typing import Annotated

import typer

from kllm.options import LAYER, Json, Liberty
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm power tiny_symmetric  -  energy of a small engine on three tokens

kllm power small_symmetric --liberty sky130A --json power.json  -  a larger one, other cells
"""


def command(
    name: Annotated[str, typer.Argument(metavar="DESIGN", help="A linear engine.")],
    layer: Annotated[str, typer.Option(help="Layer of MiniLM; its corner that fits.")] = LAYER,
    tokens: Annotated[int, typer.Option(min=2, help="Tokens of English text.")] = 3,
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
    from sim.run.gate_run import run_gates
    from synth.area.measure_design import measure
    from synth.libraries.libraries import load
    from synth.power.activity import read_activity
    from synth.power.energy import Energies
    from synth.power.power import DUMP, energy, flat_gates
    from synth.power.table import print_energy

    require_json(json_file)
    chosen, library = point(name), load(liberty or [])
    Energies(library)  # a library without any is refused before the work
    with working() as say:
        say(f"gates of {name}")
        gates = flat_gates(chosen, library)
        period = clock_ps or measure(chosen, library).delay_ps
        ran = run_gates(name, layer, tokens, gates.verilog, say)
        say("energies")
        activity = read_activity(ran.folder / DUMP, "clk", ran.first, ran.last)
        found = energy(name, gates.netlist, activity, library, clock_ps=period)
    figures = found.as_json(ran.tokens, ran.multiply_adds) | {"layer": ran.layer}
    deliver(json_file, figures, lambda: print_energy(found, figures))
