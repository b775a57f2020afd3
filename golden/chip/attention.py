"""Attention as the chip runs it: a head's keys and values into the cache, scores, powers, mixes."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from golden.chip.builder import Builder, LoadWords
from golden.chip.constants import SPEC, LoadWord
from golden.chip.instruction import Index, Op
from golden.chip.layer_image import centroid_words, factor_word, size_words
from golden.chip.shape import FP16_BYTES, ChipShape
from golden.exact.cache_codes import CacheFormat
from golden.exact.token_scale import ScaleFactor

# A made row's entry is worth 2**-4 of a token scale times 2**-6 of a cache's times 2**7.
CACHE_PLACES = -4 - 6 + 7
# The token scale of a row of powers, in means: the grid ends at sixteen of them.
MIX_MEANS = 2


class HeadsShape(Protocol):
    """Sizes of a model, as far as attention goes."""

    @property
    def context(self) -> int:
        """Positions that there may be."""
        ...

    @property
    def heads(self) -> int:
        """Heads of queries."""
        ...

    @property
    def head_width(self) -> int:
        """Numbers of a head."""
        ...

    def group(self, head: int) -> int:
        """Return which head of keys and values serves a head of queries."""
        ...


class KeptLayer(Protocol):
    """A layer that has a cache."""

    @property
    def keys(self) -> CacheFormat:
        """Format of the keys."""
        ...

    @property
    def values(self) -> CacheFormat:
        """Format of the values."""
        ...


class KeptModel(Protocol):
    """A model with a cache in each layer."""

    @property
    def shape(self) -> HeadsShape:
        """Its sizes."""
        ...

    @property
    def layers(self) -> Sequence[KeptLayer]:
        """Its layers."""
        ...

    @property
    def score_outliers(self) -> int:
        """Numbers on each side of a query that are kept exact."""
        ...

    @property
    def mix_outliers(self) -> int:
        """The same of a row of powers."""
        ...


class AttentionBuilder(Builder):
    """Builds programs in which heads of queries meet cached keys and values.

    Parameters
    ----------
    model : KeptModel
    shape : ChipShape
    at : dict of str to int
        The first word of each vector in the vector memory.
    whole : bool
        Whether a token meets all that are known, or those up to itself.
    """

    def __init__(
        self, model: KeptModel, shape: ChipShape, at: Mapping[str, int], *, whole: bool
    ) -> None:
        super().__init__(shape)
        self.model, self.at = model, at
        # Which tokens are met, if not those up to that at hand.
        self.seen: dict[str, int] = {"whole": True} if whole else {}
        self.head_words = shape.words(model.shape.head_width)
        # From a tile of cached keys, and of values, to the next.
        self.key_step = shape.tile_bytes(model.shape.head_width)
        self.value_step = shape.tile_bytes(model.shape.context)

    def put_tables(self) -> None:
        """Put into the image what depends on how many tokens are met."""
        size = self.model.shape
        self.unit_scales = self.ones(size.head_width)
        counts = range(1, size.context + 1)
        outputs = [size_words([(LoadWord.OUTPUTS, n)]) for n in counts]
        self.score_sizes = self.load_words_by_position("score_sizes", outputs)
        self.mix_sizes = self.load_words_by_position("mix_sizes", [*map(self._mix_sizes, counts)])

    def _mix_sizes(self, inputs: int) -> bytes:
        sizes = (
            (LoadWord.INPUTS, inputs),
            (LoadWord.K_TOP, min(inputs, self.model.mix_outliers)),
            (LoadWord.DIGITS, SPEC.residual_digits(inputs)),
        )
        return size_words(sizes) + factor_word(ScaleFactor.mean(inputs, Fraction(MIX_MEANS)))

    def attend(self, n: int, queries: int, mixed: int) -> None:
        """Compile the mixes of a layer's heads; heads stand one behind the other in both vectors.

        A head's powers are taken while the engine has the next one's scores, or the mix before.
        """
        ahead = 1 if self.at["scores.1"] != self.at["scores.0"] else 0
        heads = self.model.shape.heads
        for head in range(heads + ahead):
            if head < heads:
                self._scores(n, head, queries + head * self.head_words)
            if head == 0 and ahead:
                continue
            if head == 1 or not ahead:
                self._powers(n, head - ahead)
            self._mix(n, head - ahead, mixed + (head - ahead) * self.head_words)
            if ahead and head < heads:
                self._powers(n, head)

    def keep(self, n: int, head: int, part: str, place: int) -> None:
        """Keep a head's key or value, which stands at a place, in a cache with room for it."""
        size, shape, layer = self.model.shape, self.shape, self.model.layers[n]
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
            address=self.once(f"{name}.codes", bytes(codes)),
            index=Index.TILE if keys else Index.NONE,
            stride=self.key_step if keys else 0,
            step=shape.beat_bytes if keys else self.value_step,
            outputs=self.once(f"{name}.scales", bytes(FP16_BYTES * size.context)),
            extra=sum(int(limit) << 7 * i for i, limit in enumerate(form.thresholds)),
            token=self.seen.get("token", 0),
        )

    def _cached(self, n: int, head: int, part: str) -> tuple[int, int]:
        """Return the addresses of codes and scales that a head of queries meets."""
        name = f"layer.{n}.{part}.{self.model.shape.group(head)}"
        codes, scales = (self.image.regions[f"{name}.{what}"][0] for what in ("codes", "scales"))
        return codes, scales

    def _scores(self, n: int, head: int, query: int) -> None:
        """Compile a head's scores: its query times all keys that it meets."""
        width, name = self.model.shape.head_width, f"layer.{n}.head.{head}.scores"
        codes, scales = self._cached(n, head, "key")
        self.constants(name, self._score_constants(n))
        self.constants(name, self.score_sizes, **self.seen)
        self.channels(name, scales, CACHE_PLACES, grows=True, **self.seen)
        scores = self.at[f"scores.{head % 2}"]
        vectors = {"a": query, "d": scores, "count": width, "outputs_grow": True}
        self.do(
            name, Op.LINEAR, **vectors | self.seen, address=codes, step=self.key_step, keys=True
        )

    def _score_constants(self, n: int) -> LoadWords:
        width, codebook = self.model.shape.head_width, self.model.layers[n].keys.codebook()
        sizes = (
            (LoadWord.INPUTS, width),
            (LoadWord.K_TOP, self.model.score_outliers),
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
        all_of_them = {"grows": True, **self.seen}
        self.do(f"{name}.largest", Op.LARGEST, a=scores, **all_of_them)
        self.do(f"{name}.times", Op.LOAD, d=at["times"], address=scales, **all_of_them)
        powers = {"a": scores, "b": at["times"], "d": scores, **all_of_them}
        self.do(f"{name}.powers", Op.POWERS, **powers)

    def _mix(self, n: int, head: int, mixed: int) -> None:
        """Compile a head's mix: powers of its scores times the values, over their sum."""
        at, width, name = self.at, self.model.shape.head_width, f"layer.{n}.head.{head}"
        codes, _ = self._cached(n, head, "value")
        codebook = self.model.layers[n].values.codebook()
        words = size_words([(LoadWord.OUTPUTS, width)]) + centroid_words(codebook)
        self.constants(f"{name}.mix", self.load_words(f"layer.{n}.mix_constants", words))
        self.constants(f"{name}.mix", self.mix_sizes, **self.seen)
        self.channels(f"{name}.mix", self.unit_scales, CACHE_PLACES, count=width)
        scores = at[f"scores.{head % 2}"]
        vectors = {"a": scores, "d": mixed, "grows": True, "outputs": width, "scaled": True}
        self.do(
            f"{name}.mix", Op.LINEAR, **vectors | self.seen, address=codes, step=self.value_step
        )
