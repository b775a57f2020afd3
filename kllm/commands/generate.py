"""The command ``kllm generate``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError, ToolError
from kllm.options import DecoderFile, Sets, SpecFile, own_sizes, token_numbers
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from golden.chip.compiled_files import CompiledModel

EXAMPLES = """
Examples:

kllm generate  -  a dozen tokens of the project's language model, out of the chip's Verilog

kllm generate --prompt "def read(self):" --tokens 16 --check-all

kllm generate --chip chip_edge --stalls --json run.json --dump run.npz

kllm generate --chip chip_edge --set vector_lanes=8 --tokens 2  -  a chip with sizes of your own

kllm generate --simulator golden  -  the same text from the golden machine, in seconds

kllm generate --model OUT  -  a model of your own, which `kllm compile FOLDER -o OUT` compiled
"""
PROMPT = 'def read(self, path):\n    """Return'
STALL = 0.2
CHIP = "chip_large"


def command(
    prompt: Annotated[str | None, typer.Option(help="Text to go on with.")] = None,
    prompt_ids: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="The same, as numbers of tokens.")
    ] = None,
    tokens: Annotated[
        int, typer.Option(help="Tokens to generate; fewer, if a model's text ends before.")
    ] = 12,
    chip: Annotated[
        str | None,
        typer.Option(
            help="The chip: a design of `kllm verilog --list`. Default: the one that --model was"
            f" compiled for, or {CHIP}."
        ),
    ] = None,
    sets: Sets = None,
    spec: SpecFile = None,
    simulator: Annotated[
        str,
        typer.Option(
            help="verilator: the chip's Verilog; icarus: the same in the other simulator, minutes a"
            " token, with a memory of its own; golden: the golden machine alone."
        ),
    ] = "verilator",
    stalls: Annotated[
        bool, typer.Option("--stalls", help="Let the memory pause at random, on each channel.")
    ] = False,
    latency: Annotated[
        int, typer.Option(min=1, help="Cycles from an address to its first word; not with icarus.")
    ] = 20,
    check_all: Annotated[
        bool,
        typer.Option("--check-all", help="Compare every vector, and name the first that differs."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the pauses.")] = 1,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="A model that `kllm compile` wrote, in place of the project's."
        ),
    ] = None,
    decoder_file: DecoderFile = None,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the figures as JSON; - prints them."),
    ] = None,
    dump: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write tokens and logits as .npz.")
    ] = None,
) -> None:
    """Let the chip write text, and compare every bit of every logit with the golden machine.

    The project's language model, or one of your own that `kllm compile` compiled, with 4-bit
    weights, 8-bit activations and a cache of 4-bit keys and values, runs on the simulated chip out
    of a memory behind AXI4. Without a tokenizer, tokens are printed as numbers. The exit status is
    1 if a bit differs.
    """
    from golden.base.console import working
    from golden.base.files import require_writable, write_whole
    from golden.models.lm.tokens import text_of
    from sim.chip.generate import GenerateOptions, generate, prepare
    from sim.chip.report import arrays, show, summary
    from sim.harness.chip_run import MemoryModel

    require_json(json_file)
    require_writable(dump)
    chosen = _model(model, decoder_file)
    decode = text_of(chosen.tokenizer)
    # The file may say the chip, if the command does not.
    named = chip or (None if spec else chosen.chip)
    options = GenerateOptions(
        prompt=_prompt(prompt, prompt_ids, chosen.tokenizer),
        count=tokens,
        chip=own_sizes(named, sets, spec) or chosen.chip,
        simulator=simulator,
        memory=MemoryModel(latency=latency, stall=STALL if stalls else 0.0, seed=seed),
        check_all=check_all,
        end_token=chosen.end_token,
    )
    options.check(chosen.decoder)
    shown: list[int] = []
    quiet = str(json_file) == "-"

    def said(*new: int) -> None:
        before = decode(shown)
        shown.extend(new)
        if not quiet:
            # Tokens are bytes: half a letter waits for its other half.
            typer.echo(decode(shown)[len(before) :], nl=False)

    with working() as say:
        compiled = chosen.compiled if options.chip == chosen.chip else None
        ready = prepare(chosen.decoder, options, compiled=compiled, stage=say)
    said(*options.prompt)
    found = generate(ready, said=said)
    if not quiet:
        typer.echo("\n")
    figures = summary(found, options, decode(found.tokens))
    deliver(json_file, figures, lambda: show(found, options))
    if dump:
        write_whole(dump, arrays(found))
    if found.mismatches or found.other_bytes:
        raise ToolError(
            f"{found.mismatches} of {found.logits.size} logits, and {found.other_bytes} bytes of"
            f" the memory, differ from the golden machine's; first:"
            f" {found.first_wrong or 'run with --check-all to see'}"
        )


def _model(folder: Path | None, decoder_file: Path | None) -> "CompiledModel":
    """Return the model of a folder, or the project's, which is not compiled yet."""
    from golden.chip.compiled_files import CompiledModel, read_compiled
    from golden.chip.decoder_file import read_decoder
    from golden.chip.models import DECODER
    from golden.models.lm.tokens import load_tokenizer

    if folder and decoder_file:
        raise InputError("--model and --decoder both name a model: give one of them")
    if folder:
        return read_compiled(folder)
    return CompiledModel(CHIP, read_decoder(decoder_file or DECODER), None, load_tokenizer())


def _prompt(text: str | None, numbers: str | None, tokenizer: "Tokenizer | None") -> list[int]:
    """Return the tokens of the prompt.

    Raises
    ------
    InputError
        If both are given, or the numbers are none, or there is a text and no tokenizer.
    """
    if text is not None and numbers is not None:
        raise InputError("--prompt and --prompt-ids are the same thing: give one of them")
    if numbers is None:
        if not tokenizer:
            raise InputError("this model has no tokenizer: give the prompt with --prompt-ids")
        return tokenizer.encode(PROMPT if text is None else text).ids
    return token_numbers(numbers)
