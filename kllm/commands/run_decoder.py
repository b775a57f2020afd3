"""``kllm run --decoder-layer``."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from golden.base.errors import ToolError
from kllm.options import refuse
from kllm.results import deliver

if TYPE_CHECKING:
    from sim.chip.layer import LayerRun

CHIP = "chip_large"
# What is of a linear layer alone.
OTHERS = (
    *("model", "layer", "simulator", "text", "bits_w", "bits_a", "symmetric", "outliers"),
    *("recipe", "design", "weights", "tensor", "activations", "tuning", "area", "dump"),
)


def run_decoder(
    context: typer.Context, number: int, tokens: int, seed: int, json_file: Path | None
) -> None:
    """Run a whole layer of the language model on the chip, and compare every vector.

    Raises
    ------
    InputError
        If there is no such layer, or an option would be without effect.
    ToolError
        If a bit differs, or a tool is missing.
    """
    from golden.base.console import working
    from golden.chip.decoder_file import read_decoder
    from golden.chip.models import DECODER
    from golden.models.lm.corpus import held_out_windows
    from sim.chip.generate import GenerateOptions
    from sim.chip.layer import run_layer

    refuse(context, f"a whole layer runs on {CHIP}, as the decoder in the repository is", *OTHERS)
    with working() as say:
        say("text")
        prompt = held_out_windows(seed, 1)[0][:tokens].tolist()
        options = GenerateOptions(prompt=prompt, count=1, chip=CHIP)
        found = run_layer(read_decoder(DECODER), number, options, stage=say)
    deliver_layer(json_file, found)


def deliver_layer(json_file: Path | None, found: "LayerRun") -> None:
    """Deliver the figures of a whole layer.

    Raises
    ------
    ToolError
        If a bit differs.
    """
    from sim.chip.layer import show, summary

    deliver(json_file, summary(found), lambda: show(found))
    if found.other_bytes:
        raise ToolError(
            f"{found.other_bytes} bytes differ from the golden machine's; first:"
            f" {found.first_wrong}"
        )
