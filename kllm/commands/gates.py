"""The command ``kllm gates``: a block's own bench, on its gates."""

from typing import Annotated

import typer

from golden.base.errors import InputError
from kllm.options import Liberty, Listing

EXAMPLES = """
Examples:

kllm gates fp16_add sorted_list  -  the gates of two blocks, tried as their Verilog is

kllm gates token_buffer --liberty sky130A --simulator verilator  -  another library, faster runs

kllm gates --list  -  which blocks there are
"""


def command(
    names: Annotated[list[str] | None, typer.Argument(metavar="BLOCK", help="Blocks.")] = None,
    listing: Listing = False,
    liberty: Liberty = None,
    simulator: Annotated[
        str | None, typer.Option(help="icarus or verilator; default: what SIM says, or icarus.")
    ] = None,
) -> None:
    """Run the bench of a block on its gates, to see that they do what the Verilog does.

    The block is mapped to the cells of a library as `kllm synth` does it, what each cell does
    is taken from the library, and the block's cocotb bench runs on that. Exit status 1 when a
    test fails.
    """
    from gateware.points import POINTS
    from golden.base.console import working
    from golden.base.names import require_name
    from sim.kit.launch import run_bench
    from synth.libraries.libraries import load
    from synth.power.gates import gate_verilog

    known = {name: one for name, one in POINTS.items() if one.bench is not None}
    if listing:
        typer.echo("\n".join(known))
        return
    if not names:
        raise InputError("name blocks: `kllm gates --list` has them")
    for name in names:
        require_name("block", name, known, "kllm gates --list")
    library = load(liberty or [])
    for name in dict.fromkeys(names):
        with working() as say:
            say(f"gates of {name}")
            gates = gate_verilog(known[name], library)
            say(f"bench of {name}")
            run = run_bench(name, source=gates, folder=f"{name}_gates", simulator=simulator)
        ran = f"{len(run.tests)} tests passed on {run.simulator}, seed {run.seed}"
        typer.echo(f"{name}: {ran}, on gates of {library.name}")
