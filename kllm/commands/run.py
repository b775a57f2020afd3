"""The command ``kllm run``."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError, ToolError

if TYPE_CHECKING:
    from golden.models.layer_source import LayerSource

LAYER = "encoder.layer.0.attention.self.query"
MeasureArea = Callable[[str], dict[str, Any]]
EXAMPLES = """
Examples:

kllm run  -  an attention layer of MiniLM, on Verilator

kllm run --layer encoder.layer.5.output.dense --symmetric --bits-a 3 --simulator icarus

kllm run --weights model.safetensors --tensor fc.weight --activations x.npy --json out.json

WAVES=1 kllm run --tokens 1 --simulator icarus  -  with a waveform
"""


def make_run(measure_area: MeasureArea) -> Callable[..., None]:
    """Return the command; ``measure_area`` says what a design takes in gates."""

    def run(
        layer: Annotated[
            str | None, typer.Option(help=f"Linear layer of MiniLM; by default {LAYER}.")
        ] = None,
        tokens: Annotated[int, typer.Option(help="Tokens to run.")] = 8,
        simulator: Annotated[str, typer.Option(help="icarus or verilator.")] = "verilator",
        text: Annotated[
            Path | None,
            typer.Option(help="Text to run, UTF-8; by default Python's documentation."),
        ] = None,
        bits_w: Annotated[int, typer.Option(help="Bits of a weight index, 2 to 4.")] = 4,
        bits_a: Annotated[int, typer.Option(help="Bits of an activation index, 2 to 4.")] = 4,
        symmetric: Annotated[
            bool, typer.Option("--symmetric", help="Codebooks symmetric about zero.")
        ] = False,
        outliers: Annotated[
            float, typer.Option(help="Share kept as outliers on each side, 0 to 0.5.")
        ] = 0.005,
        recipe: Annotated[
            str, typer.Option(help="How weights are quantised: refined, weighted or paper.")
        ] = "refined",
        design: Annotated[
            str, typer.Option(help="Design point; kllm verilog --list has them.")
        ] = "minilm",
        weights: Annotated[
            Path | None,
            typer.Option(help="Your own layer: safetensors, or what kllm quantize wrote."),
        ] = None,
        tensor: Annotated[
            str | None, typer.Option(help="Its weight in that file, (N, K) or (K, N).")
        ] = None,
        activations: Annotated[
            Path | None,
            typer.Option(help="Its inputs, .npy (T, K): the last tokens run, the rest calibrate."),
        ] = None,
        seed: Annotated[int, typer.Option(help="Chooses the text.")] = 0,
        area: Annotated[bool, typer.Option(help="Measure the engine's area.")] = True,
        json_file: Annotated[
            Path | None, typer.Option("--json", metavar="FILE", help="Write the figures as JSON.")
        ] = None,
        dump: Annotated[
            Path | None, typer.Option(metavar="FILE", help="Write the arrays as .npz.")
        ] = None,
    ) -> None:
        """Run a linear layer end to end: quantise, simulate the Verilog, compare, measure.

        Every bit of the simulated engine's outputs is compared with the golden model's; the
        exit status is 1 if one differs.
        """
        from golden.base.files import require_writable, write_whole
        from golden.models.kept_layer import kept_layer
        from golden.models.layer_source import file_layer, minilm_layer
        from golden.quantise.layer_container import is_container
        from sim.kit.simulators import choose_simulator
        from sim.run.report import arrays, show, summary
        from sim.run.run import Options
        from sim.run.run import run as run_source

        options = Options(
            design=design,
            simulator=choose_simulator(simulator),
            weight_bits=bits_w,
            activation_bits=bits_a,
            symmetric=symmetric,
            outlier_share=outliers,
            recipe=recipe,
            seed=seed,
        )
        for path in (json_file, dump):
            if path:
                require_writable(path)
        with progress_bar() as progress:
            progress("activations", None)
            source: LayerSource
            if weights or tensor or activations:
                if not (weights and tensor and activations) or layer or text:
                    raise InputError(
                        "your own layer takes --weights, --tensor and --activations together,"
                        " without --layer and --text"
                    )
                load = kept_layer if is_container(weights) else file_layer
                source = load(weights, tensor, activations, tokens)
            else:
                source = minilm_layer(layer or LAYER, tokens, text, seed)
            outcome = run_source(
                source,
                options,
                measure_area=measure_area if area else None,
                progress=progress,
            )
        if json_file:
            write_whole(json_file, json.dumps(summary(outcome), indent=2) + "\n")
        if dump:
            write_whole(dump, arrays(outcome))
        show(outcome)
        if outcome.run.waves:
            typer.echo(f"waveform: {outcome.run.waves}")
        if outcome.mismatches:
            raise ToolError(
                f"{outcome.mismatches} of {outcome.run.y.size} output values differ from the"
                " golden model"
            )

    return run


@contextmanager
def progress_bar():
    """Show what is being done; yield the function to say it with."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # On standard error, so that the tables alone are on standard output.
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def progress(doing: str, share: float | None) -> None:
            known = share is not None
            bar.update(task, description=doing, total=1.0 if known else None, completed=share or 0)

        yield progress
