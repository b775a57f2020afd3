"""A decoder becomes a memory image and the program of one token."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from golden.chip.builder import Builder, LoadWords
from golden.chip.constants import SPEC, LoadWord
from golden.chip.decoder import Decoder
from golden.chip.instruction import Index, Op
from golden.chip.layer_image import centroid_words, channels_of, factor_word, size_words
from golden.chip.schedule import constants_early
from golden.chip.shape import FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.chip.spread import spread_layer
from golden.chip.vector_layout import logits_at_once, vector_layout
from golden.exact.token_scale import ScaleFactor

# A made row's entry is worth 2**-4 of a token scale times 2**-6 of a cache's times 2**7.
CACHE_PLACES = -4 - 6 + 7
# The token scale of a row of powers, in means: the grid ends at sixteen of them.
MIX_MEANS = 2


@dataclass(frozen=True)
class Compiled:
    """A model for a chip.

    Parameters
    ----------
    memory : bytes
        The image.
    regions : dict of str to (int, int)
        Address and size of what lies in it, by name.
    program : int
        Address of the program.
    names : dict of int to str
        What each instruction computes, by its address.
    """

    memory: bytes
    regions: dict[str, tuple[int, int]]
    program: int
    names: dict[int, str]

    @property
    def tokens(self) -> int:
        """Address of the tokens, four bytes each."""
        return self.regions["tokens"][0]

    def with_prompt(self, tokens: list[int]) -> bytes:
        """Return the image with a prompt at the beginning of the tokens."""
        data = bytearray(self.memory)
        struct.pack_into(f"<{len(tokens)}I", data, self.tokens, *tokens)
        return bytes(data)


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


class Compiler(Builder):
    """Builds the program of a decoder, part by part.

    Parameters
    ----------
    decoder : Decoder
    shape : ChipShape
    """

    def __init__(self, decoder: Decoder, shape: ChipShape) -> None:
        super().__init__(shape)
        self.decoder, self.size = decoder, decoder.shape
        self.at = vector_layout(self.size, shape)
        self.spread = spread_layer(self.size.head_width)
        size, image = self.size, self.image
        self.head_words = shape.words(size.head_width)
        self.tokens = image.reserve("tokens", TOKEN_BYTES * (size.context + 1))
        self.embedding = self.rows("embedding", decoder.embedding)
        self.turns = self.rows("turns", decoder.turns())
        self.logits = image.reserve("logits", size.context * self.row_bytes(size.vocabulary))
        self.unit_scales = self.ones(size.head_width)
        counts = range(1, size.context + 1)
        outputs = [size_words([(LoadWord.OUTPUTS, n)]) for n in counts]
        self.score_sizes = self.load_words_by_position("score_sizes", outputs)
        self.mix_sizes = self.load_words_by_position("mix_sizes", [*map(self._mix_sizes, counts)])
        # From a tile of cached keys, and of values, to the next.
        self.key_step = shape.tile_bytes(size.head_width)
        self.value_step = shape.tile_bytes(size.context)

    def _mix_sizes(self, inputs: int) -> bytes:
        sizes = (
            (LoadWord.INPUTS, inputs),
            (LoadWord.K_TOP, min(inputs, self.decoder.mix_outliers)),
            (LoadWord.DIGITS, SPEC.residual_digits(inputs)),
        )
        return size_words(sizes) + factor_word(ScaleFactor.mean(inputs, Fraction(MIX_MEANS)))

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
            self._keep(n, head, "key", at["mixed"] + head * self.head_words)
            self._keep(n, head, "value", at["value"] + head * self.head_words)
        self._spread(f"{name}.query", "query", size.heads)
        # A head's powers are taken while the engine has the next one's scores, or the mix before.
        ahead = 1 if at["scores.1"] != at["scores.0"] else 0
        for head in range(size.heads + ahead):
            if head < size.heads:
                self._scores(n, head)
            if head == 0 and ahead:
                continue
            if head == 1 or not ahead:
                self._powers(n, head - ahead)
            self._mix(n, head - ahead)
            if ahead and head < size.heads:
                self._powers(n, head)
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

    def _keep(self, n: int, head: int, part: str, place: int) -> None:
        """Keep a head's key or value, which stands at a place, in a cache with room for it."""
        size, shape, layer = self.size, self.shape, self.decoder.layers[n]
        keys, lanes, name = part == "key", shape.output_lanes, f"layer.{n}.{part}.{head}"
        form = layer.keys if keys else layer.values
        tiles = -(-size.context // lanes) if keys else size.head_width // lanes
        codes = tiles * (self.key_step if keys else self.value_step)
        self.do(
            f"{name}.kept",
            Op.CACHE,
            a=place,
            b=form.factor.mantissa,
            d=form.factor.exponent & 0xFFFF,
            count=size.head_width,
            keys=keys,
            address=self.image.reserve(f"{name}.codes", codes),
            index=Index.TILE if keys else Index.NONE,
            stride=self.key_step if keys else 0,
            step=shape.beat_bytes if keys else self.value_step,
            outputs=self.image.reserve(f"{name}.scales", FP16_BYTES * size.context),
            extra=sum(int(limit) << 7 * i for i, limit in enumerate(form.thresholds)),
        )

    def _cached(self, n: int, head: int, part: str) -> tuple[int, int]:
        """Return the addresses of codes and scales that a head of queries meets."""
        name = f"layer.{n}.{part}.{self.size.group(head)}"
        codes, scales = (self.image.regions[f"{name}.{what}"][0] for what in ("codes", "scales"))
        return codes, scales

    def _scores(self, n: int, head: int) -> None:
        """Compile a head's scores: its query times all keys so far."""
        width, name = self.size.head_width, f"layer.{n}.head.{head}.scores"
        codes, scales = self._cached(n, head, "key")
        self.constants(name, self._score_constants(n))
        self.constants(name, self.score_sizes)
        self.channels(name, scales, CACHE_PLACES, grows=True)
        query = self.at["mixed"] + head * self.head_words
        scores = self.at[f"scores.{head % 2}"]
        vectors = {"a": query, "d": scores, "count": width, "outputs_grow": True}
        self.do(name, Op.LINEAR, **vectors, address=codes, step=self.key_step, keys=True)

    def _score_constants(self, n: int) -> LoadWords:
        width, codebook = self.size.head_width, self.decoder.layers[n].keys.codebook()
        sizes = (
            (LoadWord.INPUTS, width),
            (LoadWord.K_TOP, self.decoder.score_outliers),
            (LoadWord.DIGITS, SPEC.residual_digits(width)),
        )
        factor = factor_word(ScaleFactor.mean(width))
        words = size_words(sizes) + factor + centroid_words(codebook)
        return self.load_words(f"layer.{n}.score_constants", words)

    def _powers(self, n: int, head: int) -> None:
        """Compile the powers of a head's scores, times the scales of values."""
        at, name = self.at, f"layer.{n}.head.{head}"
        _, scales = self._cached(n, head, "value")
        scores = at[f"scores.{head % 2}"]
        self.do(f"{name}.largest", Op.LARGEST, a=scores, grows=True)
        self.do(f"{name}.times", Op.LOAD, d=at["times"], address=scales, grows=True)
        powers = {"a": scores, "b": at["times"], "d": scores, "grows": True}
        self.do(f"{name}.powers", Op.POWERS, **powers)

    def _mix(self, n: int, head: int) -> None:
        """Compile a head's mix: powers of its scores times all values so far, over their sum."""
        at, width, name = self.at, self.size.head_width, f"layer.{n}.head.{head}"
        codes, _ = self._cached(n, head, "value")
        codebook = self.decoder.layers[n].values.codebook()
        words = size_words([(LoadWord.OUTPUTS, width)]) + centroid_words(codebook)
        self.constants(f"{name}.mix", self.load_words(f"layer.{n}.mix_constants", words))
        self.constants(f"{name}.mix", self.mix_sizes)
        self.channels(f"{name}.mix", self.unit_scales, CACHE_PLACES, count=width)
        mixed = at["mixed"] + head * self.head_words
        scores = at[f"scores.{head % 2}"]
        vectors = {"a": scores, "d": mixed, "grows": True, "outputs": width, "scaled": True}
        self.do(f"{name}.mix", Op.LINEAR, **vectors, address=codes, step=self.value_step)

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
