"""A decoder becomes a memory image and the program of one token."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from golden.chip.attention import AttentionBuilder
from golden.chip.decoder import Decoder
from golden.chip.image import CompiledImage
from golden.chip.instruction import Index, Op
from golden.chip.layer_image import channels_of
from golden.chip.schedule import constants_early
from golden.chip.shape import FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.chip.spread import spread_layer
from golden.chip.vector_layout import logits_at_once, vector_layout


@dataclass(frozen=True)
class Compiled(CompiledImage):
    """A model for a chip.

    Parameters
    ----------
    memory : bytes
    regions : dict of str to (int, int)
        As of :class:`golden.chip.image.CompiledImage`.
    program : int
        Address of the program.
    names : dict of int to str
        What each instruction computes, by its address.
    """

    program: int
    names: dict[int, str]


def compile_decoder(decoder: Decoder, shape: ChipShape) -> Compiled:
    """Return a decoder compiled for a chip.

    Raises
    ------
    InputError
        If it does not fit.
    """
    compiler = Compiler(decoder, shape)
    compiler.token()
    program, names = compiler.finish()
    return Compiled(bytes(compiler.image.data), compiler.image.regions, program, names)


class Compiler(AttentionBuilder):
    """Builds the program of a decoder, part by part.

    Parameters
    ----------
    decoder : Decoder
    shape : ChipShape
    """

    def __init__(self, decoder: Decoder, shape: ChipShape) -> None:
        super().__init__(decoder, shape, vector_layout(decoder.shape, shape), whole=False)
        self.decoder, self.size = decoder, decoder.shape
        self.spread = spread_layer(self.size.head_width)
        size, image = self.size, self.image
        self.tokens = image.reserve("tokens", TOKEN_BYTES * (size.context + 1))
        self.embedding = self.rows("embedding", decoder.embedding)
        self.turns = self.rows("turns", decoder.turns())
        self.logits = image.reserve("logits", size.context * self.row_bytes(size.vocabulary))
        self.put_tables()

    def token(self) -> None:
        """Compile all of a token."""
        size, at = self.size, self.at
        by_position = {"index": Index.POSITION, "stride": TOKEN_BYTES}
        self.do("token", Op.TAKE, address=self.tokens, **by_position)
        self.load("embedding", at["x"], self.embedding, size.hidden, Index.TOKEN)
        self.load("turns", at["turns"], self.turns, size.head_width, Index.POSITION)
        for n in range(size.layers):
            self._attention(n)
            self._feed_forward(n)
        self.do("known", Op.NEXT, scaled=True)
        self._root("norm")
        self._head()
        self.do("next", Op.NEXT, address=self.tokens + TOKEN_BYTES, **by_position)
        self.program = constants_early(self.program, self.shape)

    def _root(self, name: str) -> None:
        size = self.size
        self.do(name, Op.ROOT, a=self.at["x"], count=size.hidden, extra=size.norm_start)

    def _add(self, name: str, a: str, b: str, count: int) -> None:
        at = self.at
        self.do(name, Op.ADD, a=at[a], b=at[b], d=at[a], count=count)

    def _attention(self, n: int) -> None:
        size, at, layer, name = self.size, self.at, self.decoder.layers[n], f"layer.{n}"
        self._root(f"{name}.norm")
        # While one is computed, the one before is turned.
        for part, before, heads in (
            ("query", "", 0),
            ("key", "query", size.heads),
            ("value", "key", size.kv_heads),
        ):
            linear = layer.linears()[part]
            self.linear(f"{name}.{part}", linear, at["x"], at[part], scaled=True)
            for head in range(heads):
                place = at[before] + head * self.head_words
                turned = {"a": place, "b": at["turns"], "d": place, "count": size.head_width}
                self.do(f"{name}.{before}.{head}.turned", Op.ROTATE, **turned)
        address = self.rows(f"{name}.key_offset", layer.key_offset[None])
        self.load(f"{name}.offset", at["offset"], address, len(layer.key_offset), Index.NONE)
        self._add(f"{name}.key.centred", "key", "offset", len(layer.key_offset))
        self.ready(f"{name}.spread", "spread", self.spread)
        self._spread(f"{name}.key", "key", size.kv_heads)
        for head in range(size.kv_heads):
            self.keep(n, head, "key", at["mixed"] + head * self.head_words)
            self.keep(n, head, "value", at["value"] + head * self.head_words)
        self._spread(f"{name}.query", "query", size.heads)
        self.attend(n, at["mixed"])
        self.linear(f"{name}.output", layer.output, at["mixed"], at["sum"], scaled=False)
        self._add(f"{name}.attended", "x", "sum", size.hidden)

    def _spread(self, name: str, part: str, heads: int) -> None:
        """Spread queries or keys of all heads, into the places that are their mixes' later on.

        As many as there may be, a power of two, go through the engine behind one another.
        """
        head, one_tile = 0, self.size.head_width <= self.shape.output_lanes
        while head < heads:
            several = (heads - head).bit_length() - 1 if one_tile else 0
            place = head * self.head_words
            a, d = self.at[part] + place, self.at["mixed"] + place
            to = f"{name}.{head}.spread"
            self.through(to, "spread", self.spread, a, d, scaled=False, b=several)
            head += 1 << several

    def _feed_forward(self, n: int) -> None:
        size, at, layer, name = self.size, self.at, self.decoder.layers[n], f"layer.{n}"
        self._root(f"{name}.forward_norm")
        for part in ("gate", "up"):
            linear = layer.linears()[part]
            self.linear(f"{name}.{part}", linear, at["x"], at[part], scaled=True)
        gated = {"a": at["gate"], "b": at["up"], "d": at["gate"], "count": size.inner}
        self.do(f"{name}.gated", Op.GATE, **gated)
        self.linear(f"{name}.down", layer.down, at["gate"], at["sum"], scaled=False)
        self._add(f"{name}.fed", "x", "sum", size.hidden)

    def _head(self) -> None:
        """Compile the output head, as many logits at a time as the engine has output channels."""
        size, step = self.size, logits_at_once(self.size, self.shape)
        rest, at = self.at["rest"], self.at["logits"]
        rows = {"index": Index.POSITION, "stride": self.row_bytes(size.vocabulary)}
        best: list[tuple[str, dict[str, Any]]] = []
        for first, end in pairwise([*range(0, size.vocabulary, step), size.vocabulary]):
            name, count = f"head.{first}", end - first
            one, other = (channels_of(layer, slice(first, end)) for layer in self.decoder.head)
            self.linear(f"{name}.0", one, self.at["x"], rest, scaled=True)
            for which, fields in best:  # while the next ones are computed
                self.do(which, Op.CHOOSE, **fields)
            self.linear(f"{name}.1", other, self.at["x"], at, scaled=True)
            self.do(f"{name}.sum", Op.ADD, a=at, b=rest, d=at, count=count)
            address = self.logits + FP16_BYTES * first
            self.do(f"{name}.logits", Op.STORE, a=at, count=count, address=address, **rows)
            best = [
                (f"{name}.best", {"a": at, "count": count, "scaled": first > 0, "extra": first})
            ]
        for which, fields in best:
            self.do(which, Op.CHOOSE, **fields)
