"""What each way to keep keys and values costs the chip's decoder, and how many bits it takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from golden.accuracy.figures import error_of_mean
from golden.chip.cache_kinds import Kind, kinds, seen_heads
from golden.chip.decoder import Decoder
from golden.chip.real import Kept, RealDecoder
from golden.models.lm.corpus import calibration_windows, held_out_windows
from golden.models.lm.perplexity import losses, paired_error, perplexity

SEEDS, TEXTS = range(3), 128
CALIBRATION = 16
HEADINGS = ("keys and values", "bits of a value", "increase of perplexity")
Report = Callable[[list[dict[str, Any]], int], object]
Made = Callable[[Sequence[Kept]], RealDecoder]


def compare(
    decoder: Decoder, report: Report, *, seeds: range = SEEDS, texts: int = TEXTS
) -> list[dict[str, Any]]:
    """Measure each kind of cache."""

    def made(kind: Kind) -> Made:
        return lambda seen: RealDecoder(decoder, kind.make(seen))

    every = [
        ({"label": kind.label, "bits": round(kind.bits, 4)}, made(kind)) for kind in kinds(decoder)
    ]
    return measure(decoder, every, report, seeds=seeds, texts=texts)


def measure(
    decoder: Decoder,
    every: Sequence[tuple[dict[str, Any], Made]],
    report: Report,
    *,
    seeds: range,
    texts: int,
    done: Sequence[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Measure models on the same windows; report the rows so far, and of how many, after each.

    Rows that are there already, of as many windows, are taken from ``done``.

    The base has the decoder's weights, all else in real numbers, and keeps keys and values as they
    are. A model is told by what its row begins with, and made of what calibration sees.
    """
    seen = seen_heads(decoder, calibration_windows(0, CALIBRATION))
    windows = [held_out_windows(seed, texts) for seed in seeds]
    base = [losses(RealDecoder(decoder), text) for text in windows]
    asked = [told | {"seeds": len(seeds), "texts": texts} for told, _ in every]
    found = [next((row for row in done if one.items() <= row.items()), None) for one in asked]
    for n, (_, make) in enumerate(every):
        if not found[n]:
            model = make(seen)
            found[n] = asked[n] | _figures([losses(model, text) for text in windows], base)
        report([row for row in found if row], len(every))
    return [row for row in found if row]


def _figures(runs: Sequence[Any], base: Sequence[Any]) -> dict[str, float]:
    pairs = list(zip(runs, base, strict=True))
    over = [perplexity(run) - perplexity(one) for run, one in pairs]
    return {
        "increase": sum(over) / len(over),
        "standard_error": error_of_mean([paired_error(*pair) for pair in pairs]),
        "base": sum(map(perplexity, base)) / len(base),
    }


def by_bits(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return rows, those of most bits first."""
    return sorted(rows, key=lambda row: (-row["bits"], row["increase"]))


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`HEADINGS`."""
    increase = f"{row['increase']:.3f} ± {row['standard_error']:.3f}"
    return [row["label"], f"{row['bits']:.2f}", increase]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as a page has it."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "| --- | ---: | ---: |"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in by_bits(rows)]
    return "\n".join(lines)
