"""An encoder becomes a memory image and programs, one for each pass over a text.

All keys and values of a layer must be in the cache before the first token meets them. So a program
takes one token through the second part of a layer and the first part of the next, which ends with
its keys and values, and is run for all tokens of a text before the next program. The residual
stream waits in memory.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.chip.attention import AttentionBuilder
from golden.chip.encoder import Encoder, EncoderShape, Norm, mean_layer
from golden.chip.image import CompiledImage
from golden.chip.instruction import Index, Op
from golden.chip.schedule import constants_early
from golden.chip.shape import TOKEN_BYTES, ChipShape
from golden.chip.vector_layout import placed
from golden.exact.fp16 import BitArray


@dataclass(frozen=True)
class CompiledEncoder(CompiledImage):
    """An encoder for a chip.

    Parameters
    ----------
    memory : bytes
    regions : dict of str to (int, int)
        As of :class:`golden.chip.image.CompiledImage`.
    programs : list of int
        Addresses of the programs, in their order; each is run for all tokens of a text.
    names : dict of int to str
        What each instruction computes, by its address.
    """

    programs: list[int]
    names: dict[int, str]

    def hidden(self, memory: npt.NDArray[np.uint8], tokens: int, size: EncoderShape) -> BitArray:
        """Return the hidden states (tokens, hidden) that stand in a memory, FP16 patterns."""
        address, length = self.regions["hidden"]
        rows = memory[address : address + length].view("<u2").reshape(size.context, -1)
        return rows[:tokens, : size.hidden].astype(np.uint16)


def compile_encoder(encoder: Encoder, shape: ChipShape) -> CompiledEncoder:
    """Return an encoder compiled for a chip.

    Raises
    ------
    InputError
        If it does not fit, or needs what the chip does not have.
    """
    return EncoderCompiler(encoder, shape).compiled()


class EncoderCompiler(AttentionBuilder):
    """Builds the programs of an encoder, part by part.

    Parameters
    ----------
    encoder : Encoder
    shape : ChipShape

    Raises
    ------
    InputError
        As :func:`compile_encoder`.
    """

    def __init__(self, encoder: Encoder, shape: ChipShape) -> None:
        require_gelu(shape)
        super().__init__(encoder, shape, encoder_layout(encoder.shape, shape), whole=True)
        self.encoder, self.size = encoder, encoder.shape
        size, image = self.size, self.image
        self.tokens = image.reserve("tokens", TOKEN_BYTES * size.context)
        self.chosen = image.reserve("chosen", TOKEN_BYTES)  # nothing is; NEXT writes it
        self.hidden = image.reserve("hidden", size.context * self.row_bytes(size.hidden))
        self.words = self.rows("words", encoder.words)
        self.places = self.rows("places", encoder.places)
        self.put_tables()
        self.mean = mean_layer(size.hidden)

    def compiled(self, after: Callable[[], object] = lambda: None) -> CompiledEncoder:
        """Return all programs and their image.

        ``after`` is called behind each pass, for what else its program is to have.
        """
        programs, names = [], dict[int, str]()
        for n in range(self.size.layers + 1):
            self.program = []
            self.one_pass(n)
            after()
            address, found = self.finish(f"program.{n}")
            programs.append(address)
            names |= found
        image = self.image
        return CompiledEncoder(bytes(image.data), image.regions, programs, names)

    def one_pass(self, n: int) -> None:
        """Compile the pass that ends with the keys and values of layer n, or the text's last."""
        size, x = self.size, self.at["x"]
        if n == 0:
            self._embedding()
        else:
            self.load(f"layer.{n - 1}.hidden", x, self.hidden, size.hidden, Index.POSITION)
            self._attention(n - 1)
            self._feed_forward(n - 1)
        stride = self.row_bytes(size.hidden)
        place = {"address": self.hidden, "index": Index.POSITION, "stride": stride}
        self.do(f"pass.{n}.hidden", Op.STORE, a=x, count=size.hidden, **place)
        if n < size.layers:
            self._cache(n)
        self.do("known", Op.NEXT, scaled=True)
        self.do("end", Op.NEXT, address=self.chosen)
        self.program = constants_early(self.program, self.shape)

    def _embedding(self) -> None:
        size, at = self.size, self.at
        place = {"index": Index.POSITION, "stride": TOKEN_BYTES}
        self.do("token", Op.TAKE, address=self.tokens, **place)
        self.load("word", at["x"], self.words, size.hidden, Index.TOKEN)
        self.load("place", at["sum"], self.places, size.hidden, Index.POSITION)
        self._add("embedding")
        self._norm("embedding", self.encoder.norm)

    def _add(self, name: str) -> None:
        at = self.at
        self.do(name, Op.ADD, a=at["x"], b=at["sum"], d=at["x"], count=self.size.hidden)

    def _norm(self, name: str, norm: Norm) -> None:
        """Compile LayerNorm, in place: less the mean, times the factor and the gain, the shift."""
        size, at, name = self.size, self.at, f"{name}.norm"
        x = {"a": at["x"], "d": at["x"], "count": size.hidden}
        self.ready(f"{name}.mean", "mean", self.mean)
        self.through(f"{name}.mean", "mean", self.mean, at["x"], at["mean"], scaled=False)
        self.do(f"{name}.mean", Op.LARGEST, a=at["mean"], count=1)  # the only one
        self.do(f"{name}.centred", Op.ADD, **x, b=at["x"], scaled=True)
        self.do(f"{name}.root", Op.ROOT, a=at["x"], count=size.hidden, extra=size.norm_start)
        self.do(f"{name}.normed", Op.MULTIPLY, **x, b=at["x"], scaled=True)
        for what, op in (("gain", Op.MULTIPLY), ("shift", Op.ADD)):
            address = self.rows(f"{name}.{what}", getattr(norm, what)[None])
            self.load(f"{name}.{what}", at[what], address, size.hidden, Index.NONE)
            self.do(f"{name}.with_{what}", op, **x, b=at[what])

    def _cache(self, n: int) -> None:
        """Compile a layer's key and value of the token at hand."""
        for part in ("key", "value"):
            linear = self.encoder.layers[n].linears()[part]
            self.linear(f"layer.{n}.{part}", linear, self.at["x"], self.at[part], scaled=False)
            for head in range(self.size.heads):
                self.keep(n, head, part, self.at[part] + head * self.head_words)

    def _attention(self, n: int) -> None:
        at, layer, name = self.at, self.encoder.layers[n], f"layer.{n}"
        self.linear(f"{name}.query", layer.query, at["x"], at["query"], scaled=False)
        self.attend(n, at["query"], at["mixed"])
        self.linear(f"{name}.output", layer.output, at["mixed"], at["sum"], scaled=False)
        self._add(f"{name}.attended")
        self._norm(f"{name}.attended", layer.attended)

    def _feed_forward(self, n: int) -> None:
        at, layer, name = self.at, self.encoder.layers[n], f"layer.{n}"
        self.linear(f"{name}.up", layer.up, at["x"], at["inner"], scaled=False)
        inner = {"a": at["inner"], "b": at["inner"], "d": at["inner"], "count": self.size.inner}
        self.do(f"{name}.gelu", Op.GATE, **inner, scaled=True)
        self.linear(f"{name}.down", layer.down, at["inner"], at["sum"], scaled=False)
        self._add(f"{name}.fed")
        self._norm(f"{name}.fed", layer.fed)


def require_gelu(shape: ChipShape) -> None:
    """Raise InputError if a chip does not have an encoder's activation function."""
    if not shape.gelu:
        raise InputError(
            "this model's activation function is GELU, which the chip's vector unit does not"
            " have: take a chip with it, such as chip_encoder"
        )


def encoder_layout(size: EncoderShape, shape: ChipShape) -> dict[str, int]:
    """Return the first word of each vector in the vector memory, by name.

    The residual stream and what is added to it stay. What attention needs, the feed-forward part,
    keys and values, and norms take each other's place.

    Raises
    ------
    InputError
        If the encoder does not suit the chip, or needs more words than there are.
    """
    lanes = shape.inputs_per_beat
    if size.head_width % lanes or size.head_width % shape.output_lanes:
        raise InputError(
            f"heads must be whole beats and tiles, of {lanes} inputs and {shape.output_lanes}"
            f" outputs; they have {size.head_width} numbers: take a smaller chip"
        )
    hidden, context = size.hidden, size.context
    found, free = placed({"x": hidden, "sum": hidden, "mean": 1}, 0, shape)
    parts = (
        {"query": hidden, "scores.0": context, "scores.1": context}
        | {"times": context, "mixed": hidden},
        {"inner": size.inner},
        {"key": hidden, "value": hidden},
        {"gain": hidden, "shift": hidden},
    )
    ends = [free]
    for part in parts:
        places, end = placed(part, free, shape)
        found |= places
        ends.append(end)
    if max(ends) > shape.vector_words:
        raise InputError(
            f"the model takes {max(ends)} words of the vector memory, of which there are"
            f" {shape.vector_words}: take a larger chip, or less context"
        )
    return found
