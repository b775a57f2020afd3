"""The command ``kllm curve outliers``."""

from typing import Annotated

import typer

from kllm.options import BitsA, Json, LayersPart, Plain, Plot, Seed, Seeds, Texts, Tuning

EXAMPLES = "kllm curve outliers --json o.json --plot o.png"
SHARES = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1)


def command(
    share: Annotated[
        list[float] | None, typer.Option(help=f"May be repeated; by default {SHARES}.")
    ] = None,
    layers: LayersPart = "",
    bits_a: BitsA = 4,
    plain: Plain = False,
    calibration: Annotated[int, typer.Option(help="Texts to calibrate on.")] = 16,
    texts: Texts = 32,
    seed: Seed = 0,
    tuning: Tuning = False,
    seeds: Seeds = 1,
    json_file: Json = None,
    plot: Plot = None,
) -> None:
    """MiniLM's error against the share of activations kept exact on each side."""
    from golden.accuracy.options import EvalOptions
    from kllm.commands.eval import measure

    kinds = {
        f"{100 * one:g} %": EvalOptions(
            layers=layers,
            bits_a=bits_a,
            symmetric=not plain,
            calibration=calibration,
            texts=texts,
            outlier_share=one,
            tuning=tuning,
        )
        for one in share or SHARES
    }
    measure("minilm", kinds, range(seed, seed + seeds), json_file, plot)
