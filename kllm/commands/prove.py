"""The command ``kllm prove``."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError, ToolError

if TYPE_CHECKING:
    from sim.proofs.run import Result

DEPTH_MAX, SECONDS_MAX = 1000, 86400
EXAMPLES = """
Examples:

kllm prove --list  -  what can be proven

kllm prove orizuru_stream_n3_k2_p4  -  that the streaming Orizuru finds the outliers

kllm prove orizuru_stream_n6_k2_p4 --depth 11  -  in the first cycles of each run only

kllm prove --json proofs.json  -  everything
"""


def prove(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="PROOF", help="Proofs; by default all.")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Look at runs of that many cycles only, in place of runs of any length."),
    ] = None,
    seconds: Annotated[int, typer.Option(help="Limit for each search.")] = 1800,
    listing: Annotated[bool, typer.Option("--list", help="List the proofs.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON.")
    ] = None,
) -> None:
    """Prove, for small sizes, that components do what they must in every possible run.

    Outlier engines: what comes out is what a stable sort puts first, for all keys, lengths,
    pauses and resets. Others: their streams hold while they wait. The exit status is 1 if a rule
    is refuted; the run that does it is printed, and written as a waveform.
    """
    from golden.base.files import require_writable, write_whole
    from kllm.commands.run import progress_bar
    from sim.proofs.proofs import proof, proofs
    from sim.proofs.run import figures, run_proof

    for name, value, most in (("--depth", depth, DEPTH_MAX), ("--seconds", seconds, SECONDS_MAX)):
        if value is not None and not 1 <= value <= most:
            raise InputError(f"{name} must be from 1 to {most}, got {value}")
    if listing:
        show_list()
        return
    chosen = [proof(name) for name in dict.fromkeys(names)] if names else [*proofs().values()]
    if json_file:
        require_writable(json_file)
    results = []
    with progress_bar() as progress:
        for number, one in enumerate(chosen):
            progress(one.name, number / len(chosen))
            results.append(run_proof(one, seconds=seconds, depth=depth))
    if json_file:
        write_whole(json_file, json.dumps([figures(one) for one in results], indent=2) + "\n")
    show(results)
    if failed := [one.proof.name for one in results if not one.holds]:
        raise ToolError(f"not proven: {', '.join(failed)}")


def show_list() -> None:
    """Print what proofs there are."""
    from rich.console import Console
    from rich.table import Table

    from sim.proofs.proofs import proofs

    table = Table("proof", "what is proven", "runs")
    table.columns[0].no_wrap = True
    for one in proofs().values():
        runs = "of any length" if one.unbounded else f"of {one.depth} cycles"
        table.add_row(one.name, one.about, runs)
    Console().print(table)


def show(results: "list[Result]") -> None:
    """Print the results as a table, then each run that refutes one."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table("proof", "result", "rules", "goals by", "seconds")
    table.columns[0].no_wrap = True
    for one in results:
        said = Text(one.sentence, "green" if one.holds else "red")
        cycles = [cycle for cycle in one.decision.goals.values() if cycle is not None]
        row = (said, str(len(one.rules)), str(max(cycles, default="")))
        table.add_row(one.proof.name, *row, f"{one.decision.seconds:.1f}")
    console.print(table)
    for one in results:
        if one.trace:
            run = Table("cycle", *one.trace.columns, title=one.sentence)
            for cycle, row in enumerate(one.trace.rows):
                run.add_row(str(cycle), *row)
            console.print(run)
            console.print(f"waveform: {one.trace.waves}", soft_wrap=True, highlight=False)
