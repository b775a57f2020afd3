"""Where the vectors of a decoder stand in the chip's vector memory."""

from collections.abc import Mapping

from golden.base.errors import InputError
from golden.chip.decoder import DecoderShape
from golden.chip.shape import ChipShape


def vector_layout(size: DecoderShape, shape: ChipShape, tokens: int = 1) -> dict[str, int]:
    """Return the first word of each vector, by name; those of a block's ``tokens`` are neighbours.

    The residual stream and the turns of rotary positions stay for a whole token. What attention
    needs, what the feed-forward part needs and the logits take each other's place; a layer's
    result, which is added to the residual stream, stands behind what attention needs and takes the
    place of what the gate was multiplied with. A head's mix takes the place of its spread query.
    The scores of two heads in turn have places of their own, if there is room: then ``scores.1`` is
    not ``scores.0``.

    Raises
    ------
    InputError
        If the decoder does not suit the chip, or needs more words than there are.
    """
    lanes = shape.inputs_per_beat
    if size.head_width % lanes or size.head_width % shape.output_lanes:
        raise InputError(
            f"heads must be whole beats and tiles, of {lanes} inputs and {shape.output_lanes}"
            f" outputs; they have {size.head_width} numbers: take a smaller chip"
        )
    for both in (True, False):
        places, words = _places(size, shape, both, tokens)
        if words <= shape.vector_words:
            return places
    raise InputError(
        f"the model takes {words} words of the vector memory, of which there are"
        f" {shape.vector_words}: take a larger chip, or less context"
    )


def _places(
    size: DecoderShape, shape: ChipShape, both: bool, tokens: int
) -> tuple[dict[str, int], int]:
    """Return the layout, with scores of ``both`` heads or one, and the words that it takes."""

    def each(numbers: int) -> int:
        return tokens * shape.whole(numbers)

    queries, keys = each(size.heads * size.head_width), each(size.kv_heads * size.head_width)
    fixed = {"x": each(size.hidden), "turns": each(size.head_width)}
    attention = {
        **{"query": queries, "key": keys, "value": keys, "offset": keys // tokens},
        **{"scores.0": size.context, **({"scores.1": size.context} if both else {})},
        **{"times": size.context, "mixed": queries},
    }
    forward = {"gate": each(size.inner), "up": each(size.inner)}
    # Of each part of the output head.
    logits = {name: logits_at_once(size, shape) for name in ("logits", "rest")}
    places, free = placed(fixed, 0, shape)
    ends = [free]
    for part in (attention, forward, logits):
        found, end = placed(part, free, shape)
        places |= found
        ends.append(end)
    found, end = placed({"sum": each(size.hidden)}, max(ends[1], places["up"]), shape)
    places = {"scores.1": places["scores.0"]} | places | found
    return places, max(end, *ends)


def logits_at_once(size: DecoderShape, shape: ChipShape) -> int:
    """Return how many logits are computed at a time."""
    return min(size.vocabulary, shape.outputs_max)


def placed(sizes: Mapping[str, int], start: int, shape: ChipShape) -> tuple[dict[str, int], int]:
    """Return the words from which on vectors stand one behind the other, and the first free one."""
    places = {}
    for name, numbers in sizes.items():
        places[name] = start
        start += shape.words(numbers)
    return places, start
