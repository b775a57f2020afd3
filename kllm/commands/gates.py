"""The command ``kllm gates``: a block's own bench, on its gates."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from golden.base.errors import InputError

EXAMPLES = """
Examples:

kllm gates fp16_add sorted_list  -  the gates of two blocks, tried as their Verilog is

kllm gates token_buffer --liberty sky130A --simulator verilator  -  another library, faster runs

kllm gates --list  -  which blocks there are
"""

# Name of a block, Verilog of its gates, simulator -> what ran.
RunBench = Callable[[str, str, str | None], str]


def make_gates(blocks: Callable[[], dict[str, Any]], run_bench: RunBench) -> Callable:
    """Return the command.

    Parameters
    ----------
    blocks : callable
        Gives the design points that have a bench, by name.
    run_bench : callable
        Runs a block's bench on some Verilog.
    """

    def gates(
        names: Annotated[list[str] | None, typer.Argument(metavar="BLOCK", help="Blocks.")] = None,
        listing: Annotated[bool, typer.Option("--list", help="List the blocks.")] = False,
        liberty: Annotated[
            list[str] | None,
            typer.Option(metavar="NAME|FILE[,FILE...]", help="Cell library, as for `kllm synth`."),
        ] = None,
        simulator: Annotated[
            str | None, typer.Option(help="icarus or verilator; default: what SIM says, or icarus.")
        ] = None,
    ) -> None:
        """Run the bench of a block on its gates, to see that they do what the Verilog does.

        The block is mapped to the cells of a library as `kllm synth` does it, what each cell does
        is taken from the library, and the block's cocotb bench runs on that. Exit status 1 when a
        test fails.
        """
        known = blocks()
        if listing:
            typer.echo("\n".join(known))
            return
        unknown = [name for name in names or [] if name not in known]
        if unknown or not names:
            what = f"no block {unknown[0]!r}" if unknown else "name blocks"
            raise InputError(f"{what}: `kllm gates --list` has them")
        from synth.libraries.libraries import load
        from synth.power.gates import gate_verilog

        library = load(liberty or [])
        for name in dict.fromkeys(names):
            ran = run_bench(name, gate_verilog(known[name], library), simulator)
            typer.echo(f"{name}: {ran} on gates of {library.name}")

    return gates
