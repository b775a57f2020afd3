"""What ``kllm prove`` prints."""

from collections.abc import Sequence

from rich.text import Text

from golden.base.console import console, note, table
from sim.proofs.proofs import proofs
from sim.proofs.run import Result


def show_list() -> None:
    """Print what proofs there are."""
    rows = table("proof", "what is proven", "runs", numeric=False)
    for one in proofs().values():
        runs = "of any length" if one.unbounded else f"of {one.depth} cycles"
        rows.add_row(one.name, one.about, runs)
    console().print(rows)


def show(results: Sequence[Result]) -> None:
    """Print the results as a table, then each run that refutes one."""
    rows = table("proof", "result", "rules", "goals by", "seconds")
    for one in results:
        said = Text(one.sentence, "green" if one.holds else "red")
        cycles = [cycle for cycle in one.decision.goals.values() if cycle is not None]
        row = (said, str(len(one.rules)), str(max(cycles, default="")))
        rows.add_row(one.proof.name, *row, f"{one.decision.seconds:.1f}")
    screen = console()
    screen.print(rows)
    for one in results:
        if one.trace:
            run = table("cycle", *one.trace.columns, title=one.sentence)
            for cycle, row in enumerate(one.trace.rows):
                run.add_row(str(cycle), *row)
            screen.print(run)
            note(f"waveform: {one.trace.waves}")
