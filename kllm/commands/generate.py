"""The command ``kllm generate``."""

from pathlib import Path
from typing import Annotated

import typer

from golden.base.errors import InputError, ToolError
from kllm.options import DecoderFile
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm generate  -  a dozen tokens of the project's language model, out of the chip's Verilog

kllm generate --prompt "def read(self):" --tokens 16 --check-all

kllm generate --chip chip_edge --stalls --json run.json --dump run.npz

kllm generate --simulator golden  -  the same text from the golden machine, in seconds
"""
PROMPT = 'def read(self, path):\n    """Return'
STALL = 0.2


def command(
    prompt: Annotated[str | None, typer.Option(help="Text to go on with.")] = None,
    prompt_ids: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="The same, as numbers of tokens.")
    ] = None,
    tokens: Annotated[int, typer.Option(help="Tokens to generate.")] = 12,
    chip: Annotated[
        str, typer.Option(help="The chip: a design of `kllm verilog --list`.")
    ] = "chip_large",
    simulator: Annotated[
        str, typer.Option(help="verilator: the chip's Verilog; golden: the golden machine alone.")
    ] = "verilator",
    stalls: Annotated[
        bool, typer.Option("--stalls", help="Let the memory pause at random, on each channel.")
    ] = False,
    latency: Annotated[
        int, typer.Option(min=1, help="Cycles from an address to its first word.")
    ] = 20,
    threads: Annotated[
        int,
        typer.Option(min=1, max=16, help="On which the chip is simulated; as many cores at most."),
    ] = 2,
    check_all: Annotated[
        bool,
        typer.Option("--check-all", help="Compare every vector, and name the first that differs."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the pauses.")] = 1,
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

    The project's language model, with 4-bit weights, 8-bit activations and a cache of 4-bit keys
    and values, runs on the simulated chip out of a memory behind AXI4. The exit status is 1 if a
    bit differs.
    """
    from golden.base.console import working
    from golden.base.files import require_writable, write_whole
    from golden.chip.decoder_file import read_decoder
    from golden.chip.models import DECODER
    from golden.models.lm.tokens import load_tokenizer
    from sim.chip.generate import GenerateOptions, generate, prepare
    from sim.chip.report import arrays, show, summary
    from sim.harness.chip_run import MemoryModel
    from synth.area.measure import cores

    require_json(json_file)
    require_writable(dump)
    tokenizer = load_tokenizer()
    options = GenerateOptions(
        prompt=_prompt(prompt, prompt_ids, tokenizer.encode),
        count=tokens,
        chip=chip,
        simulator=simulator,
        memory=MemoryModel(latency=latency, stall=STALL if stalls else 0.0, seed=seed),
        check_all=check_all,
        threads=min(threads, cores()),
    )
    decoder = read_decoder(decoder_file or DECODER)
    options.check(decoder)
    shown: list[int] = []
    quiet = str(json_file) == "-"

    def said(*new: int) -> None:
        before = tokenizer.decode(shown)
        shown.extend(new)
        if not quiet:
            # Tokens are bytes: half a letter waits for its other half.
            typer.echo(tokenizer.decode(shown)[len(before) :], nl=False)

    with working() as say:
        ready = prepare(decoder, options, stage=say)
    said(*options.prompt)
    found = generate(ready, said=said)
    if not quiet:
        typer.echo("\n")
    text = tokenizer.decode(found.tokens)
    deliver(json_file, summary(found, options, text), lambda: show(found, options))
    if dump:
        write_whole(dump, arrays(found))
    if found.mismatches or found.other_bytes:
        raise ToolError(
            f"{found.mismatches} of {found.logits.size} logits, and {found.other_bytes} bytes of"
            f" the memory, differ from the golden machine's; first:"
            f" {found.first_wrong or 'run with --check-all to see'}"
        )


def _prompt(text: str | None, numbers: str | None, encode) -> list[int]:
    """Return the tokens of the prompt.

    Raises
    ------
    InputError
        If both are given, or the numbers are none.
    """
    if text is not None and numbers is not None:
        raise InputError("--prompt and --prompt-ids are the same thing: give one of them")
    if numbers is None:
        return encode(PROMPT if text is None else text).ids
    try:
        return [int(number) for number in numbers.split(",")]
    except ValueError:
        raise InputError(
            f"--prompt-ids takes numbers with commas between them, such as 1,2,3; got {numbers!r}"
        ) from None
