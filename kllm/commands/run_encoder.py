"""``kllm run --encoder-layer``."""

from pathlib import Path

import typer

from kllm.commands.run_decoder import OTHERS, deliver_layer
from kllm.options import refuse


def run_encoder(
    context: typer.Context, number: int, tokens: int, seed: int, json_file: Path | None
) -> None:
    """Run a whole layer of MiniLM on the chip, and compare every vector.

    Raises
    ------
    InputError
        If there is no such layer, or an option would be without effect.
    ToolError
        If a bit differs, or a tool is missing.
    """
    from golden.base.console import working
    from golden.chip.encoder_file import read_encoder
    from golden.chip.models import ENCODER
    from golden.models.minilm import MiniLM
    from golden.models.text import evaluation_texts
    from sim.chip.embed import CHIP, EmbedOptions
    from sim.chip.encoder_layer import run_encoder_layer

    refuse(context, f"a whole layer runs on {CHIP}, as the encoder in the repository is", *OTHERS)
    with working() as say:
        say("text")
        model = MiniLM()
        text = model.tokens(evaluation_texts(seed, 1)[0])[: max(tokens, 0)]
        options = EmbedOptions()
        found = run_encoder_layer(read_encoder(ENCODER, model), number, text, options, stage=say)
    deliver_layer(json_file, found)
