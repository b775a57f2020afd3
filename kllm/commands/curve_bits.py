"""The command ``kllm curve bits``: methods against numbers of bits, as papers print them."""

import re
from typing import Annotated

import typer

from golden.base.errors import InputError
from kllm.options import Calibration, Json, Methods, ModelName, Seed, Texts, Tuning

EXAMPLES = """
Examples:

kllm curve bits  -  the language model, all methods, W4A4, W4A3, W3A3 and W2A4

kllm curve bits --method quarot --method kllm --bits 4/4 --texts 256 --json bits.json
"""
METHODS = (
    *("fp16", "rtn", "rtn_asym", "rtn_g128", "rtn_asym_g128", "smoothquant"),
    *("quarot", "quarot_asym", "quarot_g128", "quarot_asym_g128", "atom", "atom_128", "kllm"),
)
BITS = ("4/4", "4/3", "3/3", "2/4")


def command(
    model: ModelName = "lm",
    method: Methods = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option("--bits", metavar="W/A", help="Bits of weight and activation; repeatable."),
    ] = None,
    calibration: Calibration = 64,
    texts: Texts = 64,
    seed: Seed = 0,
    tuning: Tuning = False,
    json_file: Json = None,
) -> None:
    """Quantise a whole model by several methods with several numbers of bits.

    For the language model the figure is by how much the perplexity of held-out text grows, for
    MiniLM the error of its sentence vectors; with standard errors. What each means, and one method
    alone: kllm eval.
    """
    from golden.accuracy.figures import print_bits
    from golden.accuracy.options import EvalOptions
    from kllm.commands.eval import measure

    kinds = {
        f"{name} W{w}A{a}": EvalOptions(
            method=name, bits_w=w, bits_a=a, calibration=calibration, texts=texts, tuning=tuning
        )
        for w, a in map(parse, dict.fromkeys(pairs or BITS))
        for name in method or METHODS
    }
    measure(model, kinds, range(seed, seed + 1), json_file, None, print_bits)


def parse(pair: str) -> tuple[int, int]:
    """Return the bits of weight and activation that ``4/3`` says.

    Raises
    ------
    InputError
        If it says something else.
    """
    found = re.fullmatch(r"([234])/([234])", pair)
    if not found:
        raise InputError(f"bits must be like 4/3, each 2, 3 or 4; got {pair!r}")
    return int(found[1]), int(found[2])
