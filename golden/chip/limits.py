"""Whether a decoder of some size fits a chip, known before it is quantised."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace

from golden.base.errors import InputError
from golden.chip.decoder import DecoderShape
from golden.chip.shape import ChipShape
from golden.chip.vector_layout import vector_layout
from golden.quantise.methods.hadamard import hadamard


def require_fit(size: DecoderShape, shape: ChipShape, keys: Mapping[str, str]) -> None:
    """Refuse sizes that a chip has no room for.

    Parameters
    ----------
    size : DecoderShape
    shape : ChipShape
    keys : mapping
        What the user calls the fields of ``size``.

    Raises
    ------
    InputError
        Names the size that is too large, its value and what is allowed.
    """
    most = min(shape.inputs_max, shape.outputs_max)
    lanes = max(shape.inputs_per_beat, shape.output_lanes)
    width = size.head_width
    for name in ("hidden", "inner"):
        if (value := getattr(size, name)) > most:
            raise InputError(
                f"{keys[name]} is {value}; the chip's engine takes up to {most}: take a larger chip"
            )
    if width % lanes or not _spreads(width):
        raise InputError(
            f"{keys['head_width']} is {width}; allowed on this chip are multiples of {lanes} that"
            " are a power of two, or 12 or 20 times one"
        )
    if size.heads * width > most:
        raise InputError(
            f"{keys['heads']} is {size.heads}; heads of {width} numbers allow {most // width} on"
            " this chip: take a larger one"
        )
    context = longest_context(size, shape)
    if not context:
        names = ", ".join(keys[name] for name in ("hidden", "inner", "heads"))
        raise InputError(
            f"the vectors of a token do not fit the chip's {shape.vector_words} words of"
            f" {shape.inputs_per_beat} numbers, whatever the context: {names} are too large for"
            " it"
        )
    if size.context > context:
        raise InputError(
            f"{keys['context']} is {size.context}; the chip has room for {context} tokens: name one"
            f" of {context} or less with --context, or a larger chip"
        )


def longest_context(size: DecoderShape, shape: ChipShape) -> int:
    """Return how many tokens a context can have; 0 where even one is too much."""

    def too_long(context: int) -> bool:
        try:
            vector_layout(replace(size, context=context), shape)
        except InputError:
            return True
        return False

    lengths = range(1, min(shape.inputs_max, shape.outputs_max) + 1)
    return bisect_right(lengths, False, key=too_long)


def _spreads(width: int) -> bool:
    """Return whether keys of heads so wide can be turned by a Hadamard matrix."""
    try:
        hadamard(width)
    except InputError:
        return False
    return True
