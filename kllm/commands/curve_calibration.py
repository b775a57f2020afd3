"""The command ``kllm curve calibration``."""

from typing import Annotated

import typer

from kllm.options import BitsA, Json, LayersPart, Plain, Plot, Seed, Seeds, Texts, Tuning

EXAMPLES = "kllm curve calibration --seeds 3"
SIZES = (4, 8, 16, 32, 64)


def command(
    size: Annotated[
        list[int] | None, typer.Option(help=f"May be repeated; by default {SIZES}.")
    ] = None,
    layers: LayersPart = "",
    bits_a: BitsA = 4,
    plain: Plain = False,
    texts: Texts = 32,
    seed: Seed = 0,
    tuning: Tuning = False,
    seeds: Seeds = 1,
    json_file: Json = None,
    plot: Plot = None,
) -> None:
    """MiniLM's error against the number of texts to calibrate on."""
    from golden.accuracy.options import EvalOptions
    from kllm.commands.eval import measure

    kinds = {
        f"{one} texts": EvalOptions(
            layers=layers,
            bits_a=bits_a,
            symmetric=not plain,
            texts=texts,
            calibration=one,
            tuning=tuning,
        )
        for one in size or SIZES
    }
    measure("minilm", kinds, range(seed, seed + seeds), json_file, plot)
