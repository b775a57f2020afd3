"""A compiled model in a folder: what a chip's memory is filled with, and what people read of it.

`decoder.safetensors`
    The model in the chip's numbers (:mod:`golden.chip.decoder_file`).
`image.bin`
    What memory holds before the first token, byte by byte from address 0 on.
`map.json`
    Where in it what stands: ``regions`` with address and size; ``program``, its address and what
    each of its instructions computes; ``blocks``, the same of programs that take several tokens of
    a prompt at a time, and how many; ``tokens``, the address of the prompt; ``end_token``, behind
    which a text ends, or null. The chip's name.
`program.txt`
    The programs, an instruction a line: address, what it computes, operation, fields.
`tokenizer.json`
    The model's own, if it has one.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from golden.base.errors import InputError
from golden.base.files import write_whole
from golden.chip.compiler import Compiled
from golden.chip.decoder import Decoder
from golden.chip.decoder_file import read_decoder
from golden.chip.instruction import BYTES, disassemble
from golden.models.lm.config_file import CONFIG_FILE
from golden.models.lm.tokens import TOKENIZER, load_tokenizer

DECODER, IMAGE, MAP, PROGRAM = "decoder.safetensors", "image.bin", "map.json", "program.txt"


class CompiledModel(NamedTuple):
    """A model as a folder has it.

    Parameters
    ----------
    chip : str
        Name of the chip.
    decoder : Decoder
    compiled : Compiled or None
        None if it is not compiled yet.
    tokenizer : Tokenizer or None
    end_token : int or None
        Behind which its text ends.
    """

    chip: str
    decoder: Decoder
    compiled: Compiled | None
    tokenizer: Tokenizer | None
    end_token: int | None = None


def write_compiled(
    folder: Path, chip: str, compiled: Compiled, end_token: int | None = None
) -> None:
    """Write image, map and program of a model into a folder that is there."""
    programs = {1: compiled.program, **compiled.blocks}
    said = [
        {"tokens": tokens, "address": address, "steps": compiled.steps(address)}
        for tokens, address in programs.items()
    ]
    places: dict[str, Any] = {
        "chip": chip,
        "bytes": len(compiled.memory),
        "tokens": compiled.tokens,
        "end_token": end_token,
        "program": said[0],
        "blocks": said[1:],
        "regions": {
            name: {"address": address, "size": size}
            for name, (address, size) in compiled.regions.items()
        },
    }
    write_whole(folder / IMAGE, compiled.memory)
    write_whole(folder / MAP, json.dumps(places, indent=1) + "\n")
    lines = (
        line
        for one in said
        for line in disassemble(
            compiled.memory[one["address"] :][: BYTES * len(one["steps"])],
            one["steps"],
            one["address"],
        )
    )
    write_whole(folder / PROGRAM, "".join(f"{line}\n" for line in lines))


def read_compiled(folder: Path) -> CompiledModel:
    """Return the model of a folder that ``kllm compile`` wrote.

    Raises
    ------
    InputError
        If it holds none, or files that are not of one compilation.
    """
    if not (folder / MAP).is_file():
        if (folder / CONFIG_FILE).is_file():
            raise InputError(
                f"{folder} holds a model that is not compiled yet: `kllm compile {folder}"
                " --calibration TEXT -o OUT` first, then name OUT"
            )
        raise InputError(f"{folder} holds no model that `kllm compile` wrote: it has no {MAP}")
    try:
        places = json.loads((folder / MAP).read_text(encoding="utf-8"))
        if "programs" in places:
            raise InputError(f"{folder} holds an encoder: `kllm embed --model {folder}` runs it")
        memory = (folder / IMAGE).read_bytes()
        programs = [places["program"], *places["blocks"]]
        compiled = Compiled(
            memory=memory,
            regions={n: (one["address"], one["size"]) for n, one in places["regions"].items()},
            program=places["program"]["address"],
            names={
                one["address"] + BYTES * n: name
                for one in programs
                for n, name in enumerate(one["steps"])
            },
            blocks={one["tokens"]: one["address"] for one in places["blocks"]},
        )
        chip, size, end_token = places["chip"], places["bytes"], places.get("end_token")
        if end_token is not None and type(end_token) is not int:
            raise TypeError(f"end_token is {end_token!r}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder} holds no whole compiled model: {error!r}") from error
    if len(memory) != size:
        raise InputError(
            f"{folder / IMAGE} has {len(memory)} bytes, {MAP} says {size}: compile the model anew"
        )
    has_tokenizer = (folder / TOKENIZER).is_file()
    return CompiledModel(
        chip=chip,
        decoder=read_decoder(folder / DECODER),
        compiled=compiled,
        tokenizer=load_tokenizer(folder / TOKENIZER) if has_tokenizer else None,
        end_token=end_token,
    )
