"""The console command ``kllm``: its commands put together, and what becomes of errors."""

import errno
import importlib
import importlib.metadata
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from golden.base.arithmetic import pin_arithmetic
from golden.base.errors import InputError, ToolError
from golden.base.files import BUILD_VARIABLE, build_folder
from golden.base.process import end_on_signals

HELP = (
    "Open hardware for language models quantised with K-Means.\n\n"
    "Quantises a linear layer, writes the Verilog of an engine that runs it, simulates that"
    " against the bit-exact reference, and measures what it costs in gates."
)
EXAMPLES = """
Examples:

kllm doctor  -  is everything there?

kllm doctor --json -  -  the same for scripts

kllm run  -  a layer of MiniLM, from its weights to gates

kllm export LAYER -o DIR  -  files that load an engine, and a bench in plain Verilog

kllm generate  -  a chip writes text

kllm embed  -  a chip turns texts into vectors

kllm bitstream FOLDER --prompt-ids 1,2,3 -o chip.bit  -  a chip with a small model, for a board

kllm compile FOLDER --calibration text.txt -o OUT  -  a model of your own for a chip

kllm sim orizuru --input x.npy --k 21  -  find outliers in your own vectors

kllm sim compare  -  all outlier engines side by side

kllm study --symmetric  -  errors of all of its linear layers

kllm eval  -  what quantisation costs the whole model

kllm accuracy  -  that of this project's forms beside integers and published methods

kllm operations  -  what softmax, SiLU and norms on indices cost a language model

kllm quantize --help  -  your own layers, quantised and kept in a file

kllm verilog --list  -  which designs there are

kllm verilog small -o rtl  -  the Verilog of one, and a JSON file that describes its ports

kllm synth small  -  what it costs in gates

kllm engines  -  complete engines side by side

kllm density  -  lookup beside counters, INT4, INT8 and FP16, per multiply-accumulate

kllm nonlinear  -  softmax, SiLU and mean squares on indices beside FP16

kllm sweep synth/sweep/lanes.toml  -  a grid of engines, and which of them are best

kllm power tiny_symmetric  -  what it takes on real tokens, in pJ

kllm cycles llama-2-7b  -  tokens a second and joules of a whole model

kllm compare  -  whole chips beside an A100 and an H200

kllm plan llama-2-7b --area 4  -  the fastest chip of four million gates

kllm paper  -  the KLLM paper's figures, reproduced

kllm report  -  whole models to explore, and all areas, as pages

kllm cache  -  what is kept of earlier work; --clear removes it

kllm prove orizuru_unit_n4_k2_p4  -  that an engine is right, for every input there can be
"""
# Each is the function ``command`` of the module of that name in kllm/commands; two words are a
# group and a command of it.
COMMANDS = (
    *("doctor", "study", "eval", "accuracy", "operations", "perplexity", "caches", "quantize"),
    *("curve width", "curve inputs", "curve outliers", "curve calibration", "curve bits"),
    *("verilog", "synth", "engines", "density", "nonlinear", "sweep", "report", "gates", "power"),
    *("sim orizuru", "sim compare"),
    *("prove", "run", "export", "compile", "generate", "embed", "bitstream"),
    *("cycles", "compare", "paper", "plan"),
    "cache",
)
# Those whose sums decide roundings.
PINNED = (
    *("study", "eval", "accuracy", "operations", "perplexity", "caches", "curve", "embed"),
    *("compile", "quantize"),
)
GROUPS = {
    "curve": "Vary one choice of the quantiser and measure.",
    "sim": "Simulate single engines on your own data.",
}


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
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that come before a command."""
    if context.invoked_subcommand in PINNED:
        pin_arithmetic()


def build_app() -> typer.Typer:
    """Put all commands together."""
    app = typer.Typer(
        name="kllm",
        help=HELP,
        epilog=EXAMPLES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    groups = {"": app}
    for words in COMMANDS:
        group, _, name = words.rpartition(" ")
        if group not in groups:
            groups[group] = typer.Typer(help=GROUPS[group], no_args_is_help=True)
            app.add_typer(groups[group], name=group)
        module = importlib.import_module(f"kllm.commands.{words.replace(' ', '_')}")
        groups[group].command(name, epilog=module.EXAMPLES)(module.command)
    return app


def main() -> None:
    """Run the command line; turn what a user can mend into one sentence."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal or a pipe that cannot show a letter gets a question mark, no traceback.
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")
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
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        sys.exit(explain(ToolError(f"{no_room(error)}"), 1))


def no_room(error: OSError) -> str:
    """Return what to do about a full disk, or one that cannot be written."""
    where, advice = "", "make it writable" if error.errno == errno.EROFS else "make room"
    if error.filename:
        path = Path(error.filename).absolute()
        where = f"{error.filename}: "
        if path.is_relative_to(build_folder()):
            advice += f", or name another build folder with {BUILD_VARIABLE}"
        elif path.is_relative_to(tempfile.gettempdir()):
            advice += ", or name another temporary folder with TMPDIR"
    return f"{where}{error.strerror}: {advice}"


def explain(error: Exception, status: int) -> int:
    """Print the error's sentence and return the exit status."""
    print(f"error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
