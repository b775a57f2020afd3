"""A model folder of BERT's kind becomes an encoder for a chip, and a folder of files.

`encoder.safetensors`
    The model in the chip's numbers (:mod:`golden.chip.encoder_file`), whole.
`image.bin`, `map.json`, `program.txt`
    As of a decoder (:mod:`golden.chip.compiled_files`), but that there are several ``programs``,
    each of which runs for all tokens of a text.
`tokenizer.json`
    The model's own.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.base.files import write_whole
from golden.chip.compiled_files import IMAGE, MAP, PROGRAM
from golden.chip.encoder import Encoder
from golden.chip.encoder_compiler import CompiledEncoder, encoder_layout, require_gelu
from golden.chip.encoder_file import encoder_bytes, read_whole_encoder
from golden.chip.encoder_fit import fit_encoder, shape_of
from golden.chip.encoder_model import EncoderModel, pooled
from golden.chip.instruction import BYTES, disassemble
from golden.chip.model_folder import FolderOptions
from golden.chip.shape import ChipShape
from golden.exact.spec import GRID_BITS
from golden.models.bert_config import KEYS, read_bert_config
from golden.models.lm.tokens import TOKENIZER
from golden.models.minilm import MiniLM
from golden.models.text import texts_from_file

ENCODER = "encoder.safetensors"
MEASURED = 4  # texts


class QuantisedEncoder(NamedTuple):
    """An encoder, and the mean cosine of its vectors to those of full precision.

    On :data:`MEASURED` of the texts that calibrated it.
    """

    encoder: Encoder
    cosine: float


def quantise_encoder(
    folder: Path,
    shape: ChipShape,
    options: FolderOptions,
    report: Callable[[str, float], object] = lambda name, share: None,
) -> QuantisedEncoder:
    """Return the model of a folder in the chip's numbers.

    Raises
    ------
    InputError
        If it is no whole model of BERT's kind, does not fit the chip, or there is nothing to
        calibrate it on; before anything long runs.
    """
    config = read_bert_config(folder)
    context = config.context if options.context is None else options.context
    if not 1 <= context <= config.context:
        raise InputError(
            f"the context must be from 1 to {KEYS['context']}, {config.context}; got {context}"
        )
    size = replace(shape_of(config), context=context)
    require_gelu(shape)
    encoder_layout(size, shape)
    if options.tokens or not options.text:
        raise InputError(
            "an encoder is calibrated on text: give a text file of paragraphs, parted by empty"
            f" lines, with --calibration, for {folder / TOKENIZER}"
        )
    if options.bits_a != GRID_BITS:
        raise InputError("an encoder's activations have 8 bits: leave out --bits-a")
    model = MiniLM(folder, config)
    texts = texts_from_file(options.text)
    chosen = np.random.default_rng(options.seed).permutation(len(texts))[: options.windows]
    calibration = [texts[n] for n in chosen]
    encoder = fit_encoder(
        model, EvalOptions(bits_a=GRID_BITS, seed=options.seed), calibration, report
    )
    encoder = replace(encoder, shape=size, places=encoder.places[:context])
    report("measuring", 1)
    whole = EncoderModel(encoder)
    cosines = []
    for text in calibration[:MEASURED]:
        tokens = model.tokens(text)[:context]
        cosines.append(pooled(whole.hidden(np.array(tokens))) @ model.embed_tokens(tokens))
    return QuantisedEncoder(encoder, float(np.mean(cosines)))


def write_encoder(
    folder: Path, chip: str, encoder: Encoder, compiled: CompiledEncoder, made_by: dict[str, object]
) -> None:
    """Write a compiled encoder into a folder that is there."""
    programs, lines = [], list[str]()
    for n, address in enumerate(compiled.programs):
        size = compiled.regions[f"program.{n}"][1]
        steps = [compiled.names[at] for at in range(address, address + size, BYTES)]
        programs.append({"address": address, "steps": steps})
        lines += disassemble(compiled.memory[address : address + size], steps, address)
    places: dict[str, Any] = {
        "chip": chip,
        "bytes": len(compiled.memory),
        "tokens": compiled.tokens,
        "programs": programs,
        "regions": {
            name: {"address": address, "size": size}
            for name, (address, size) in compiled.regions.items()
        },
    }
    write_whole(folder / ENCODER, encoder_bytes(encoder, made_by, whole=True))
    write_whole(folder / IMAGE, compiled.memory)
    write_whole(folder / MAP, json.dumps(places, indent=1) + "\n")
    write_whole(folder / PROGRAM, "".join(f"{line}\n" for line in lines))


class EncoderFolder(NamedTuple):
    """What a folder holds: the chip's name, the encoder, and it compiled."""

    chip: str
    encoder: Encoder
    compiled: CompiledEncoder


def read_encoder_folder(folder: Path) -> EncoderFolder:
    """Return what :func:`write_encoder` wrote.

    Raises
    ------
    InputError
        If the folder holds no such, or files that are not of one compilation.
    """
    if not (folder / MAP).is_file():
        raise InputError(f"{folder} holds no model that `kllm compile` wrote: it has no {MAP}")
    try:
        places = json.loads((folder / MAP).read_text(encoding="utf-8"))
        if "program" in places:
            raise InputError(f"{folder} holds a decoder: `kllm generate --model {folder}` runs it")
        compiled = CompiledEncoder(
            memory=(folder / IMAGE).read_bytes(),
            regions={n: (one["address"], one["size"]) for n, one in places["regions"].items()},
            programs=[one["address"] for one in places["programs"]],
            names={
                one["address"] + BYTES * n: name
                for one in places["programs"]
                for n, name in enumerate(one["steps"])
            },
        )
        chip, size = places["chip"], places["bytes"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder} holds no whole compiled encoder: {error!r}") from error
    if len(compiled.memory) != size:
        raise InputError(
            f"{folder / IMAGE} has {len(compiled.memory)} bytes, {MAP} says {size}: compile the"
            " model anew"
        )
    return EncoderFolder(chip, read_whole_encoder(folder / ENCODER), compiled)
