"""The command ``kllm compile``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError
from kllm.options import Folder, Seed

if TYPE_CHECKING:
    from golden.chip.model_folder import FolderOptions
    from golden.chip.shape import ChipShape

EXAMPLES = """
Examples:

kllm compile golden/models/lm --calibration README.md -o build/lm  -  the project's own model

kllm generate --model build/lm  -  which then writes text on the chip

kllm compile my-bert --calibration text --context 128 --chip chip_encoder -o my-bert-chip  -  for
`kllm embed --model`

kllm compile my-llama --calibration-ids tokens.npz --context 128 --chip chip_edge -o my-llama-chip

FOLDER holds config.json, model.safetensors or its parts with model.safetensors.index.json, and
tokenizer.json if there is one: as models of LLaMA's kind and of BERT's are published.
"""


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A model: config.json and safetensors.")
    ],
    output: Folder,
    chip: Annotated[
        str, typer.Option(help="The chip: a design of `kllm verilog --list`.")
    ] = "chip_large",
    text: Annotated[
        Path | None,
        typer.Option(
            "--calibration", metavar="TEXT_FILE", help="Text to calibrate on, some thousand words."
        ),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(
            "--calibration-ids",
            metavar="FILE",
            help="The same as numbers of tokens: .json, or .npz with one array (T,) or (W, T).",
        ),
    ] = None,
    windows: Annotated[
        int, typer.Option(min=1, help="Windows of it to calibrate on, at most.")
    ] = 64,
    context: Annotated[
        int | None,
        typer.Option(help="Tokens to have room for; max_position_embeddings by default."),
    ] = None,
    bits_a: Annotated[int, typer.Option(help="Bits of an activation: 4, 5 or 8.")] = 8,
    seed: Seed = 0,
) -> None:
    """Quantise a model of LLaMA's kind (Mistral's, Qwen2's) or of BERT's and compile it for a chip.

    Writes decoder.safetensors or encoder.safetensors (the model in the chip's numbers), image.bin
    (what memory holds), map.json (what stands where in it), program.txt (programs, disassembled)
    and the tokenizer.
    What config.json asks for and the chip does not do is refused by its key.
    """
    from gateware.points.chip import CHIPS
    from golden.base.console import working
    from golden.base.files import make_folder, write_whole
    from golden.base.names import lookup
    from golden.chip.compiled_files import DECODER, write_compiled
    from golden.chip.compiler import compile_decoder
    from golden.chip.decoder_file import decoder_bytes
    from golden.chip.model_folder import MEASURED, FolderOptions, quantise_folder
    from golden.models.bert_config import is_bert
    from golden.models.lm.config_file import read_config, read_end
    from golden.models.lm.tokens import TOKENIZER

    shape = lookup("chip", chip, CHIPS).shape
    if output.resolve() == folder.resolve():
        raise InputError(f"{output} is the model's own folder: name another with -o")
    make_folder(output)
    options = FolderOptions(
        text=text, tokens=ids, windows=windows, context=context, bits_a=bits_a, seed=seed
    )
    (output / TOKENIZER).unlink(missing_ok=True)  # of another model
    if is_bert(folder):
        typer.echo(compile_bert(folder, output, chip, shape, options))
        return
    with working() as say:
        end_token = read_end(folder, read_config(folder, context).vocabulary)
        found = quantise_folder(folder, shape, options, say)
        decoder = found.decoder
        say("compiling")
        compiled = compile_decoder(decoder, shape)
    made_by = {"command": "kllm compile", "windows": windows, "bits_a": bits_a, "seed": seed}
    content = decoder_bytes(decoder, made_by)
    write_whole(output / DECODER, content)
    if (folder / TOKENIZER).is_file():
        write_whole(output / TOKENIZER, (folder / TOKENIZER).read_bytes())
    write_compiled(output, chip, compiled, end_token)
    typer.echo(
        f"{output}: {len(compiled.names)} instructions, an image of {len(compiled.memory)} bytes"
        f" for {chip}\nperplexity of {MEASURED} windows that calibrated it:"
        f" {found.perplexity:.2f}, in full precision {found.whole:.2f}\n"
        f"`kllm generate --model {output}` runs it"
    )


def compile_bert(
    folder: Path, output: Path, chip: str, shape: "ChipShape", options: "FolderOptions"
) -> str:
    """Compile a model of BERT's kind; return what has come of it."""
    from golden.base.console import working
    from golden.base.files import write_whole
    from golden.chip.encoder_compiler import compile_encoder
    from golden.chip.encoder_folder import MEASURED, quantise_encoder, write_encoder
    from golden.models.lm.tokens import TOKENIZER

    with working() as say:
        found = quantise_encoder(folder, shape, options, say)
        say("compiling")
        compiled = compile_encoder(found.encoder, shape)
    made_by: dict[str, object] = {
        "command": "kllm compile",
        "windows": options.windows,
        "seed": options.seed,
    }
    write_whole(output / TOKENIZER, (folder / TOKENIZER).read_bytes())
    write_encoder(output, chip, found.encoder, compiled, made_by)
    return (
        f"{output}: {len(compiled.names)} instructions in {len(compiled.programs)} programs, an"
        f" image of {len(compiled.memory)} bytes for {chip}\n"
        f"cosine to full precision of {MEASURED} texts that calibrated it: {found.cosine:.4f}\n"
        f"`kllm embed --model {output}` runs it"
    )
