"""The console command ``kllm``: composes the commands of the folders."""

import errno
import importlib.metadata
import json
import sys
from dataclasses import asdict
from typing import Annotated, Any

import typer

import golden.base.tools
import kllm.commands.curve
import kllm.commands.density
import kllm.commands.evaluate
import kllm.commands.gates
import kllm.commands.power
import kllm.commands.prove
import kllm.commands.quantize
import kllm.commands.report
import kllm.commands.run
import kllm.commands.sim_orizuru
import kllm.commands.study
import kllm.commands.sweep
import kllm.commands.synth
import kllm.commands.verilog
import sim.kit.tools
import synth.libraries.tools
from golden.base.children import end_on_signals
from golden.base.errors import InputError, ToolError
from golden.base.tools import Tool

HELP = (
    "Open hardware for language models quantised with K-Means.\n\n"
    "Quantises a linear layer, writes the Verilog of an engine that runs it, simulates that"
    " against the bit-exact reference, and measures what it costs in gates."
)
EXAMPLES = """
Examples:

kllm doctor  -  is everything there?

kllm doctor --json  -  the same for scripts

kllm run  -  a layer of MiniLM, from its weights to gates

kllm sim orizuru --input x.npy --k 21  -  find outliers in your own vectors

kllm sim compare  -  all outlier engines side by side

kllm study --symmetric  -  errors of all of its linear layers

kllm eval  -  what quantisation costs the whole model

kllm quantize --help  -  your own layers, quantised and kept in a file

kllm verilog --list  -  which designs there are

kllm verilog small -o rtl  -  the Verilog of one, and a JSON file that describes its ports

kllm synth small  -  what it costs in gates

kllm density  -  lookup beside counters, INT4, INT8 and FP16, per multiply-accumulate

kllm sweep synth/sweep/lanes.toml  -  a grid of engines, and which of them are best

kllm power tiny_symmetric  -  what it takes on real tokens, in pJ

kllm report  -  all areas as a page with figures

kllm prove orizuru_unit_n4_k2_p4  -  that an engine is right, for every input there can be
"""


def print_version(wanted: bool) -> None:
    """Print the version and leave."""
    if not wanted:
        return
    try:
        version = importlib.metadata.version("kllm")
    except importlib.metadata.PackageNotFoundError:
        raise ToolError("the package kllm is not installed: run `make setup`") from None
    typer.echo(f"kllm {version}")
    raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that come before a command."""


def print_tools(tools: list[Tool]) -> None:
    """Print what was found as a table, with what to do about the rest."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table("tool", "version", "will do", "needed for")
    for tool in tools:
        answer = Text("yes", "green") if tool.will_do else Text("no", "red")
        table.add_row(tool.name, tool.version or "-", answer, tool.purpose)
    console.print(table)
    for tool in tools:
        if not tool.will_do:
            text = f"{tool.name}: {tool.problem}; get it with: {tool.get}"
            console.print(text, soft_wrap=True, markup=False, highlight=False)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, no table.")] = False,
) -> None:
    """Say for each tool which version is here and whether it will do.

    The exit status is 1 when something needed is missing.
    """
    tools = (
        golden.base.tools.requirements()
        + sim.kit.tools.requirements()
        + synth.libraries.tools.requirements()
    )
    if as_json:
        typer.echo(json.dumps([{**asdict(t), "will_do": t.will_do} for t in tools], indent=2))
    else:
        print_tools(tools)
    missing = [tool.name for tool in tools if not tool.will_do]
    if missing:
        raise ToolError(f"{', '.join(missing)} will not do; `make setup` installs what is missing")


def measure_area(design: str) -> dict[str, Any]:
    """Return what a design takes in gates: simulation and synthesis meet here alone."""
    from synth.area.measure_design import measure_design

    return measure_design(design)


def bench_blocks() -> dict[str, Any]:
    """Return what makes the component of each block that has a bench."""
    from sim.registry import BLOCKS

    return {name: block.make for name, block in BLOCKS.items()}


def bench_gates(name: str, gates: str, simulator: str | None) -> str:
    """Run a block's bench on the Verilog of its gates; say what ran."""
    from sim.kit.launch import simulate
    from sim.registry import BLOCKS, COMPONENT

    bench = f"sim.benches.{BLOCKS[name].bench}"
    environment = {COMPONENT: name}
    run = simulate(
        f"{name}_gates", gates, bench, top=name, simulator=simulator, environment=environment
    )
    return f"{len(run.tests)} tests passed on {run.simulator}, seed {run.seed},"


def run_gates(*arguments: Any) -> Any:
    """Run a layer on an engine's gates: :func:`sim.run.gate_run.run_gates`."""
    from sim.run.gate_run import run_gates

    return run_gates(*arguments)


def build_app() -> typer.Typer:
    """Put the commands of all folders together."""
    app = typer.Typer(
        name="kllm",
        help=HELP,
        epilog=EXAMPLES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    app.command("doctor")(doctor)
    app.command("study", epilog=kllm.commands.study.EXAMPLES)(kllm.commands.study.study)
    app.command("eval", epilog=kllm.commands.evaluate.EXAMPLES)(kllm.commands.evaluate.evaluate)
    app.command("quantize", epilog=kllm.commands.quantize.EXAMPLES)(kllm.commands.quantize.quantize)
    app.add_typer(kllm.commands.curve.make_app(), name="curve")
    app.command("verilog", epilog=kllm.commands.verilog.EXAMPLES)(kllm.commands.verilog.verilog)
    app.command("synth", epilog=kllm.commands.synth.EXAMPLES)(kllm.commands.synth.synth)
    app.command("density", epilog=kllm.commands.density.EXAMPLES)(kllm.commands.density.density)
    app.command("sweep", epilog=kllm.commands.sweep.EXAMPLES)(kllm.commands.sweep.sweep)
    app.command("report", epilog=kllm.commands.report.EXAMPLES)(kllm.commands.report.report)
    app.command("gates", epilog=kllm.commands.gates.EXAMPLES)(
        kllm.commands.gates.make_gates(bench_blocks, bench_gates)
    )
    app.command("power", epilog=kllm.commands.power.EXAMPLES)(
        kllm.commands.power.make_power(run_gates)
    )
    app.add_typer(kllm.commands.sim_orizuru.make_app(measure_area), name="sim")
    app.command("prove", epilog=kllm.commands.prove.EXAMPLES)(kllm.commands.prove.prove)
    app.command("run", epilog=kllm.commands.run.EXAMPLES)(kllm.commands.run.make_run(measure_area))
    return app


def main() -> None:
    """Run the command line; turn what a user can mend into one sentence."""
    end_on_signals()
    try:
        build_app()()
    except InputError as error:
        sys.exit(explain(error, 2))
    except ToolError as error:
        sys.exit(explain(error, 1))
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f"{error.filename}: " if error.filename else ""
        text = f"{where}{error.strerror}: make room, or name another folder with TMPDIR"
        sys.exit(explain(ToolError(text), 1))


def explain(error: Exception, status: int) -> int:
    """Print the error's sentence and return the exit status."""
    print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
