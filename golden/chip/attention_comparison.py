"""What attention on indices costs the chip's decoder: rows of queries, and scales of values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from golden.chip.cache_comparison import SEEDS, TEXTS, Report, measure
from golden.chip.cache_kinds import kinds as cache_kinds
from golden.chip.decoder import Decoder
from golden.chip.index_attention import IndexAttention, MakeMix
from golden.chip.real import Kept, RealDecoder
from golden.chip.value_constants import Added, OfTokens, Paired, PerChannel, PowerOfTwo
from golden.chip.value_scales import Multiplied, in_fp16

HEADINGS = ("softmax", "queries", "scale of a value", "increase of perplexity")
OWN, FP16, INDICES = "its own", "FP16", "indices"
CHANNELS = "one for each channel, known before"
MULTIPLIED = OWN + ", times the power, a row of {} bits"


@dataclass(frozen=True)
class Kind:
    """A form of attention.

    Parameters
    ----------
    softmax, queries, scale : str
        What tables call its parts.
    make : callable
        Takes queries, keys and values of each layer on calibration text; returns the model.
    """

    softmax: str
    queries: str
    scale: str
    make: Callable[[Sequence[Kept]], RealDecoder]

    def told(self) -> dict[str, Any]:
        """Return what a row says of it."""
        return {"softmax": self.softmax, "queries": self.queries, "scale": self.scale}


def kinds(decoder: Decoder) -> list[Kind]:
    """Return what is compared: the cache alone, queries of fewer bits, then scales of values."""
    (chip, *_), heads = cache_kinds(decoder), decoder.shape.heads
    multiplied = partial(Multiplied, outliers=decoder.mix_outliers)

    def kind(softmax: str, bits: int, scale: str, make: MakeMix) -> Kind:
        def model(seen: Sequence[Kept]) -> RealDecoder:
            return RealDecoder(decoder, attend=IndexAttention(decoder, seen, bits, make))

        return Kind(softmax, f"{bits} bits", scale, model)

    def channels(queries: int) -> Kind:
        return kind(INDICES, queries, CHANNELS, partial(PerChannel, heads=heads))

    def rows(queries: int, bits: int) -> Kind:
        return kind(INDICES, queries, MULTIPLIED.format(bits), partial(multiplied, bits=bits))

    return [
        Kind("exact", "exact", OWN, lambda seen: RealDecoder(decoder, chip.make(seen))),
        *(rows(queries, 8) for queries in (4, 5, 8)),
        *(rows(8, bits) for bits in (5, 4)),
        *(channels(queries) for queries in (8, 4)),
        kind(INDICES, 8, OWN + ", its logarithm added to the score", Added),
        kind(INDICES, 8, "a power of two, which shifts the row", PowerOfTwo),
        kind(INDICES, 8, "one for 16 tokens, times their sum", OfTokens),
        kind(INDICES, 8, OWN + ", as an index: a table of 256", Paired),
        kind(FP16, 8, MULTIPLIED.format(8), partial(multiplied, bits=8, softmax=in_fp16)),
    ]


def compare(
    decoder: Decoder,
    report: Report,
    done: Sequence[dict[str, Any]] = (),
    *,
    seeds: range = SEEDS,
    texts: int = TEXTS,
) -> list[dict[str, Any]]:
    """Measure each kind that is not done as :func:`golden.chip.cache_comparison.measure` does."""
    every = [(one.told(), one.make) for one in kinds(decoder)]
    return measure(decoder, every, report, seeds=seeds, texts=texts, done=done)


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`HEADINGS`."""
    increase = f"{row['increase']:.3f} ± {row['standard_error']:.3f}"
    return [row["softmax"], row["queries"], row["scale"], increase]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as a page has it."""
    lines = [HEADINGS, ("---", "---", "---", "---:"), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
