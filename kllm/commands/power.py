"""The command ``kllm power``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from synth.power.power import Energy

EXAMPLES = """
Examples:

kllm power tiny_symmetric  -  energy of a small engine on three tokens

kllm power small_symmetric --liberty sky130A --json power.json  -  a larger one, other cells
"""
LAYER = "encoder.layer.0.attention.self.query"


def make_power(run_gates: Callable[..., Any]) -> Callable[..., None]:
    """Return the command; ``run_gates`` is :func:`sim.run.gate_run.run_gates`."""

    def power(
        name: Annotated[str, typer.Argument(metavar="DESIGN", help="A linear engine.")],
        layer: Annotated[str, typer.Option(help="Layer of MiniLM; its corner that fits.")] = LAYER,
        tokens: Annotated[int, typer.Option(min=2, help="Tokens of English text.")] = 3,
        liberty: Annotated[
            list[str] | None,
            typer.Option(metavar="NAME|FILE[,FILE...]", help="Cell library, as for `kllm synth`."),
        ] = None,
        clock_ps: Annotated[
            float | None,
            typer.Option(metavar="PS", min=1.0, help="Clock period; default: the longest path."),
        ] = None,
        json_file: Annotated[
            Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers as JSON.")
        ] = None,
    ) -> None:
        """Measure the energy of an engine's gates on real tokens.

        The gates run in Icarus on the corner of a MiniLM layer that fits the engine, and every
        output is compared with the golden model. How often each net changed between the first
        token's first beat and the last token's, times the energies of the cell library, gives
        the energy of each part, of a token, and of a multiply-add. Wires, the clock's tree and
        memories are left out, and so is what flickers within a cycle.
        """
        from gateware.points import point
        from golden.base.files import require_writable, write_whole
        from synth.area.measure_design import measure
        from synth.libraries.libraries import load
        from synth.power.activity import read_activity
        from synth.power.energy import Energies
        from synth.power.power import DUMP, energy, flat_gates

        if json_file is not None:
            require_writable(json_file)
        chosen, library = point(name), load(liberty or [])
        Energies(library)  # a library without any is refused before the work
        with _status() as say:
            say(f"gates of {name}", None)
            gates = flat_gates(chosen, library)
            period = clock_ps or measure(chosen, library).delay_ps
            ran = run_gates(name, layer, tokens, gates.verilog, say)
            say("energies", None)
            activity = read_activity(ran.folder / DUMP, "clk", ran.first, ran.last)
            found = energy(name, gates.netlist, activity, library, clock_ps=period)
        plain = found.as_json(ran.tokens, ran.multiply_adds) | {"layer": ran.layer}
        if json_file is not None:
            write_whole(json_file, json.dumps(plain, indent=2) + "\n")
        print_energy(found, plain)

    return power


def _status():
    """Show what is being done."""
    from contextlib import contextmanager

    from rich.console import Console

    @contextmanager
    def shown():
        with Console(stderr=True).status("") as status:
            yield lambda text, share: status.update(
                text if share is None else f"{text} {share:.0%}"
            )

    return shown()


def print_energy(found: "Energy", plain: dict[str, Any]) -> None:
    """Print the energy of each part, per token, and below what is in it."""
    from rich.console import Console
    from rich.table import Table

    table = Table("part", title=f"{found.design}: nJ per token")
    kinds = ("charge", "internal", "clock", "leakage", "total")
    for title in (*kinds, "share"):
        table.add_column(title, justify="right")
    each = 1000 * plain["tokens"]
    for part in found.blocks:
        row = [f"{getattr(part, kind) / each:,.3f}" for kind in kinds]
        table.add_row(part.block, *row, f"{part.total / found.total:.1%}")
    console = Console()
    console.print(table)
    text = (
        f"{plain['pj_per_token'] / 1000:,.1f} nJ per token, {plain['pj_per_multiply_add']:.2f} pJ"
        f" per multiply-add ({plain['layer']}), {plain['milliwatts']:.1f} mW at a clock of"
        f" {found.clock_ps:,.0f} ps. {found.library}, {found.volts:g} V, {found.cycles} cycles,"
        f" {plain['tokens']} tokens. Charge: of inputs; internal: within cells; clock: at the"
        " clock pins of registers. Without wires, the clock's tree and its gating, memories, and"
        " what flickers within a cycle."
    )
    console.print(text, markup=False, highlight=False)
