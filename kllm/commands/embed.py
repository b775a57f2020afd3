"""The command ``kllm embed``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from golden.base.errors import ToolError
from kllm.options import Json
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.chip.encoder import Encoder
    from golden.chip.encoder_compiler import CompiledEncoder
    from golden.quantise.methods.layer import Array

EXAMPLES = """
Examples:

kllm embed --text sentences.txt  -  vectors of a file's paragraphs, out of the chip's Verilog

kllm embed --simulator golden  -  those of twelve texts, from the golden model, in a minute

kllm embed --texts 1 --json vectors.json

kllm embed --model OUT --text sentences.txt  -  of an encoder of your own, compiled
"""
CHIP = "chip_encoder"


class Chosen(NamedTuple):
    """An encoder, compiled or not, the chip it is for, and what goes around it."""

    chip: str
    encoder: "Encoder"
    compiled: "CompiledEncoder | None"
    tokens: Callable[[str], list[int]]
    exact: "Callable[[list[int]], Array | None]"


def command(
    text: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Text, UTF-8: a vector for each paragraph, parted by empty lines; by default"
            " passages that nothing was fitted to.",
        ),
    ] = None,
    texts: Annotated[int, typer.Option(min=1, help="Texts at most.")] = 12,
    tokens: Annotated[
        int, typer.Option(min=1, max=512, help="Tokens of a text at most; what is behind is cut.")
    ] = 512,
    chip: Annotated[
        str | None,
        typer.Option(
            help="The chip: a design of `kllm verilog --list`. Default: the one that --model was"
            f" compiled for, or {CHIP}."
        ),
    ] = None,
    simulator: Annotated[
        str, typer.Option(help="verilator: the chip's Verilog; golden: the golden model alone.")
    ] = "verilator",
    latency: Annotated[
        int, typer.Option(min=1, help="Cycles from an address to its first word.")
    ] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the passages.")] = 0,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="An encoder that `kllm compile` wrote, in place of MiniLM."
        ),
    ] = None,
    json_file: Json = None,
) -> None:
    """Let the chip turn texts into vectors, and compare every bit with the golden model.

    MiniLM, with 4-bit weights, 8-bit activations and a cache of 4-bit keys and values, runs on the
    simulated chip, layer after layer; the mean over a text's tokens is taken outside. The cosine is
    that to MiniLM in full precision; of a model of your own there is none. The exit status is 1 if
    a bit differs.
    """
    from golden.base.console import working
    from golden.models.text import evaluation_texts, texts_from_file
    from sim.chip.embed import EmbedOptions, embed, prepare
    from sim.chip.embed_report import Vector, show, summary
    from sim.harness.chip_run import MemoryModel

    require_json(json_file)
    chosen = of_folder(model) if model else minilm()
    options = EmbedOptions(
        chip=chip or chosen.chip,
        simulator=simulator,
        memory=MemoryModel(latency=latency),
    )
    options.check()
    wanted = (texts_from_file(text) if text else evaluation_texts(seed))[:texts]
    found: list[Vector] = []
    with working() as say:
        most = min(tokens, chosen.encoder.shape.context)
        cut = [chosen.tokens(one)[:most] for one in wanted]
        compiled = chosen.compiled if options.chip == chosen.chip else None
        ready = prepare(chosen.encoder, options, compiled=compiled, stage=say)
        for n, (one, numbers) in enumerate(zip(wanted, cut, strict=True)):
            say("texts", n / len(wanted), f"{len(numbers)} tokens")
            found.append(Vector(one, embed(ready, numbers), chosen.exact(numbers)))
    deliver(json_file, summary(found, options), lambda: show(found, options))
    if wrong := sum(one.embedded.mismatches for one in found):
        raise ToolError(f"{wrong} numbers of the hidden states differ from the golden model's")


def minilm() -> Chosen:
    """Return MiniLM, as the repository has it."""
    from golden.chip.encoder_file import read_encoder
    from golden.chip.models import ENCODER
    from golden.models.minilm import MiniLM

    model = MiniLM()
    return Chosen(CHIP, read_encoder(ENCODER, model), None, model.tokens, model.embed_tokens)


def of_folder(folder: Path) -> Chosen:
    """Return the encoder of a folder."""
    from golden.chip.encoder_folder import read_encoder_folder
    from golden.models.lm.tokens import TOKENIZER, load_tokenizer

    found = read_encoder_folder(folder)
    tokenizer = load_tokenizer(folder / TOKENIZER)
    tokenizer.no_padding()
    tokenizer.enable_truncation(found.encoder.shape.context)
    return Chosen(*found, lambda text: tokenizer.encode(text).ids, lambda tokens: None)
