"""A decoder becomes a memory image, and the programs of a token and of blocks of a prompt."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from golden.base.errors import InputError
from golden.chip.attention import AttentionBuilder
from golden.chip.decoder import Decoder
from golden.chip.image import CompiledImage
from golden.chip.instruction import BYTES, Index, Op
from golden.chip.layer_image import channels_of
from golden.chip.rules import VECTORS_MAX
from golden.chip.schedule import constants_early
from golden.chip.shape import FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.chip.spread import spread_layer
from golden.chip.vector_layout import logits_at_once, vector_layout
from golden.exact.linear import QuantizedLinear


@dataclass(frozen=True)
class Compiled(CompiledImage):
    """A model for a chip.

    Parameters
    ----------
    memory : bytes
    regions : dict of str to (int, int)
        As of :class:`golden.chip.image.CompiledImage`.
    program : int
        Address of the program of a token.
    names : dict of int to str
        What each instruction computes, by its address.
    blocks : dict of int to int
        Addresses of programs that take several tokens at a time, by how many.
    """

    program: int
    names: dict[int, str]
    blocks: dict[int, int] = field(default_factory=dict)

    def passes(self, known: int, limit: int) -> list[tuple[int, int, int]]:
        """Return what runs, one behind the other, make tokens up to position ``limit``.

        Known tokens go through in blocks, as long as they fill one; then token by token.

        Returns
        -------
        list of (int, int, int)
            The address of the program, and from which position to before which.
        """
        found, first = [], 0
        for tokens, program in sorted(self.blocks.items(), reverse=True):
            end = known - (known - first) % tokens
            found.append((program, first, end))
            first = end
        found.append((self.program, first, limit))
        return [one for one in found if one[1] < one[2]]

    def steps(self, program: int) -> list[str]:
        """Return what the instructions of a program compute, in their order."""
        others = {self.program, *self.blocks.values()} - {program}
        ours = self.names.keys() - others
        at = itertools.count(program, BYTES)
        return [self.names[n] for n in itertools.takewhile(ours.__contains__, at)]


def compile_decoder(decoder: Decoder, shape: ChipShape) -> Compiled:
    """Return a decoder compiled for a chip.

    Raises
    ------
    InputError
        If it does not fit.
    """
    compiler = Compiler(decoder, shape)
    compiler.tokens()
    program, names = compiler.finish()
    blocks, tokens = {}, compiler.largest_block()
    while tokens > 1:
        compiler.tokens(tokens)
        blocks[tokens], more = compiler.finish(f"block.{tokens}")
        names |= more
        tokens //= 2
    image = compiler.image
    return Compiled(bytes(image.data), image.regions, program, names, blocks)


class Compiler(AttentionBuilder):
    """Builds the programs of a decoder: of a token, or of a block of several.

    Parameters
    ----------
    decoder : Decoder
    shape : ChipShape
    """

    def __init__(self, decoder: Decoder, shape: ChipShape) -> None:
        super().__init__(decoder, shape, vector_layout(decoder.shape, shape), whole=False)
        self.decoder, self.size = decoder, decoder.shape
        self.spread = spread_layer(self.size.head_width)
        self.several = 0  # the logarithm of the block's tokens
        size, image = self.size, self.image
        self.texts = image.reserve("tokens", TOKEN_BYTES * (size.context + 1))
        self.embedding = self.rows("embedding", decoder.embedding)
        self.turns = self.rows("turns", decoder.turns())
        self.logits = image.reserve("logits", size.context * self.row_bytes(size.vocabulary))
        self.put_tables()

    def largest_block(self) -> int:
        """Return how many tokens the vector memory has room for, a power of two."""
        tokens = self.shape.tokens_together
        while tokens > 1:
            try:
                vector_layout(self.size, self.shape, tokens)
            except InputError:
                tokens //= 2
            else:
                break
        return tokens

    def tokens(self, count: int = 1) -> None:
        """Compile all of so many tokens, a power of two, into an empty program."""
        self.program = []
        size, self.several = self.size, count.bit_length() - 1
        self.at = at = vector_layout(size, self.shape, count)
        by_position = {"index": Index.POSITION, "stride": TOKEN_BYTES}
        for token in self.each():
            x, turns = self.of("x", size.hidden), self.of("turns", size.head_width)
            self.do("token", Op.TAKE, address=self.texts, **by_position, **self.seen)
            self.load("embedding", x, self.embedding, size.hidden, Index.TOKEN)
            self.load("turns", turns, self.turns, size.head_width, Index.POSITION, token)
        for n in range(size.layers):
            self._attention(n)
            self._feed_forward(n)
        last = {"token": count - 1} if count > 1 else {}
        self.do("known", Op.NEXT, scaled=True, **last)
        x = at["x"] + (count - 1) * self.shape.words(size.hidden)
        self.do("norm", Op.ROOT, a=x, count=size.hidden, extra=size.norm_start)
        self._head(x, last)
        self.do("next", Op.NEXT, address=self.texts + TOKEN_BYTES, **by_position, **last)
        self.program = constants_early(self.program, self.shape)

    def each(self) -> Iterator[int]:
        """Yield each token of the block; what is compiled meanwhile is of that token."""
        for token in range(1 << self.several):
            self.seen = {"token": token} if token else {}
            yield token
        self.seen = {}

    def of(self, part: str, numbers: int) -> int:
        """Return where the token has a vector of so many numbers."""
        return self.at[part] + self.seen.get("token", 0) * self.shape.words(numbers)

    def all_of(self, numbers: int) -> int:
        """Return how many numbers all tokens have that stand one behind the other."""
        return numbers if not self.several else self.shape.whole(numbers) << self.several

    def _roots(self, name: str) -> None:
        size = self.size
        for token in self.each():
            at = {"a": self.of("x", size.hidden), "slot": token}
            self.do(name, Op.ROOT, **at, count=size.hidden, extra=size.norm_start)

    def _linear(self, name: str, layer: QuantizedLinear, a: str, d: str, *, scaled: bool) -> None:
        """Run the vectors of all tokens through a linear layer."""
        self.linear(name, layer, self.at[a], self.at[d], scaled=scaled, b=self.several)

    def _attention(self, n: int) -> None:
        size, at, layer, name = self.size, self.at, self.decoder.layers[n], f"layer.{n}"
        queries, keys = size.heads * size.head_width, size.kv_heads * size.head_width
        self._roots(f"{name}.norm")
        # While one is computed, the one before is turned.
        for part, before, heads in (
            ("query", "", 0),
            ("key", "query", size.heads),
            ("value", "key", size.kv_heads),
        ):
            self._linear(f"{name}.{part}", layer.linears()[part], "x", part, scaled=True)
            if before:
                self._turn(f"{name}.{before}", before, heads)
        address = self.rows(f"{name}.key_offset", layer.key_offset[None])
        self.load(f"{name}.offset", at["offset"], address, len(layer.key_offset), Index.NONE)
        for _ in self.each():
            place = {"a": self.of("key", keys), "b": at["offset"], "d": self.of("key", keys)}
            self.do(f"{name}.key.centred", Op.ADD, **place, count=len(layer.key_offset))
        self.ready(f"{name}.spread", "spread", self.spread)
        self._spread(f"{name}.key", "key", size.kv_heads)
        for _ in self.each():
            spread, values = self.of("mixed", keys), self.of("value", keys)
            for head in range(size.kv_heads):
                self.keep(n, head, "key", spread + head * self.head_words)
                self.keep(n, head, "value", values + head * self.head_words)
        self._spread(f"{name}.query", "query", size.heads)
        for _ in self.each():
            mixed = self.of("mixed", queries)
            self.attend(n, mixed, mixed)
        self._linear(f"{name}.output", layer.output, "mixed", "sum", scaled=False)
        self._add(f"{name}.attended")

    def _turn(self, name: str, part: str, heads: int) -> None:
        """Turn the heads of queries or keys by their positions."""
        width = self.size.head_width
        for _ in self.each():
            first, turns = self.of(part, heads * width), self.of("turns", width)
            for head in range(heads):
                place = first + head * self.head_words
                self.do(f"{name}.{head}.turned", Op.ROTATE, a=place, b=turns, d=place, count=width)

    def _spread(self, name: str, part: str, heads: int) -> None:
        """Spread queries or keys of all heads, into the places that are their mixes' later on.

        As many as there may be, a power of two, go through the engine behind one another.
        """
        head, one_tile = 0, self.size.head_width <= self.shape.output_lanes
        most = VECTORS_MAX if one_tile else self.shape.tokens_together
        heads <<= self.several
        while head < heads:
            several = min(heads - head, most).bit_length() - 1
            place = head * self.head_words
            a, d = self.at[part] + place, self.at["mixed"] + place
            to = f"{name}.{head}.spread"
            self.through(to, "spread", self.spread, a, d, scaled=False, b=several)
            head += 1 << several

    def _add(self, name: str) -> None:
        """Add a layer's result to the residual stream."""
        at = self.at
        self.do(
            name, Op.ADD, a=at["x"], b=at["sum"], d=at["x"], count=self.all_of(self.size.hidden)
        )

    def _feed_forward(self, n: int) -> None:
        size, at, layer, name = self.size, self.at, self.decoder.layers[n], f"layer.{n}"
        self._roots(f"{name}.forward_norm")
        for part in ("gate", "up"):
            self._linear(f"{name}.{part}", layer.linears()[part], "x", part, scaled=True)
        gated = {"a": at["gate"], "b": at["up"], "d": at["gate"], "count": self.all_of(size.inner)}
        self.do(f"{name}.gated", Op.GATE, **gated)
        self._linear(f"{name}.down", layer.down, "gate", "sum", scaled=False)
        self._add(f"{name}.fed")

    def _head(self, x: int, last: Mapping[str, int]) -> None:
        """Compile a token's output head, as many logits at a time as the engine has channels."""
        size, step = self.size, logits_at_once(self.size, self.shape)
        rest, at = self.at["rest"], self.at["logits"]
        rows = {"index": Index.POSITION, "stride": self.row_bytes(size.vocabulary)}
        best: list[tuple[str, dict[str, Any]]] = []
        for first, end in itertools.pairwise([*range(0, size.vocabulary, step), size.vocabulary]):
            name, count = f"head.{first}", end - first
            one, other = (channels_of(layer, slice(first, end)) for layer in self.decoder.head)
            self.linear(f"{name}.0", one, x, rest, scaled=True)
            for which, fields in best:  # while the next ones are computed
                self.do(which, Op.CHOOSE, **fields)
            self.linear(f"{name}.1", other, x, at, scaled=True)
            self.do(f"{name}.sum", Op.ADD, a=at, b=rest, d=at, count=count)
            address = self.logits + FP16_BYTES * first
            self.do(f"{name}.logits", Op.STORE, a=at, count=count, address=address, **rows, **last)
            best = [
                (f"{name}.best", {"a": at, "count": count, "scaled": first > 0, "extra": first})
            ]
        for which, fields in best:
            self.do(which, Op.CHOOSE, **fields)
