"""What ``kllm density`` prints and draws."""

from collections.abc import Sequence
from pathlib import Path

from golden.base.console import console, note, table
from golden.base.files import save_figure
from synth.area.density import LAYER, Cycles, Density

# What a multiply-accumulate takes over one in FP16, in placed designs of 28 nm: the paper's from
# its table of areas, the others' as published for 4-bit weights.
PUBLISHED = (
    ("KLLM", 0.38),
    ("FIGNA", 1 / 4.0),
    ("FIGLUT", 1 / 4.3),
    ("AxCore", 1 / 6.7),
)
NOTES = (
    (
        "GE/MAC: gates for an output channel's products and their sum, per multiply-accumulate"
        " and cycle; /INT4, /FMA: over INT4's, and over our combinational FP16 fused"
        " multiply-add. Whole: with accumulators, pipeline registers, and its part of what lanes"
        " share; + scales: with FP16 scales for groups of 128 input channels, an FP16 multiplier"
        " and adder for 8 lanes; whole/FMA: over our pipelined one. FO4: longest path of the"
        " whole. Error: that of MiniLM's {layer} as `kllm study` prints it: lookup with"
        " symmetric codebooks, counter with plain ones, both with outliers, dequant symmetric"
        " without; INT4 rounded to nearest in groups of 128."
    ),
    (
        "Published: KLLM (arXiv 2507.23035) from its table of areas; FIGNA (HPCA 2024), FIGLUT"
        " (arXiv 2503.06862) and AxCore (MICRO 2025) with 4-bit weights and FP16 activations, as"
        " densities over an FP16 unit of their own: placed, at 28 nm, with their buffers. Here"
        " are cells alone, and the FP16 unit is as lean as we can make it, which no density over"
        " it gains by. KLLM's counters are 0.38 of its FP16 MAC; ours, with the merge of their"
        " histograms that no block of the paper's owns, are {counter:.2f} of our combinational"
        " one. FIGLUT's tables are here of activations aligned to integers, and its bit planes"
        " side by side: serial, it would take four times the cycles."
    ),
    (
        "Cycles: of a token in a layer of 4096 x 4096 at 8192 multiply-accumulates a cycle, by"
        " the formulas that simulation is held to, without the constant fill of the pipelines."
        " Lookup, 16 x 512: (K / 16 + 3 digits * outliers / 16) * N / 512. Counter, 16 lines of"
        " 512: N / 16 * the larger of K / 512 and 256 bins / 32, or outliers * N / 128 in its 8"
        " MACs a line, if longer. Each quotient is rounded up."
    ),
)


def show(found: Sequence[Density], cycles: Sequence[Cycles]) -> None:
    """Print a table for each library, the cycles, and what the columns mean."""
    for library in dict.fromkeys(row.library for row in found):
        _show([row for row in found if row.library == library])
    _show_cycles(cycles)
    counter = next(row for row in found if row.block == "counter")
    words = {"layer": LAYER, "counter": counter.ratio_to_fp16_fma_combinational}
    for text in NOTES:
        note(text.format(**words))


def _show(rows: Sequence[Density]) -> None:
    titles = ("GE/MAC", "/INT4", "/FMA", "whole", "whole/FMA", "FO4", "error")
    lines = table("block", *titles, title=rows[0].library)
    for row in rows:
        lines.add_row(
            row.block,
            f"{row.ge_per_mac:.1f}",
            f"{row.ratio_to_int4:.2f}",
            f"1/{1 / row.ratio_to_fp16_fma_combinational:.1f}",
            f"{row.ge_per_mac_with_registers:.1f}",
            f"1/{1 / row.ratio_to_fp16_fma:.1f}",
            f"{row.delay_fo4:.0f}",
            "-" if row.accuracy is None else f"{row.accuracy:.1%}",
        )
        if row.ge_per_mac_with_scales is not None:
            lines.add_row(" + scales", *_blank(3), f"{row.ge_per_mac_with_scales:.1f}", *_blank(3))
    for name, ratio in PUBLISHED:
        lines.add_row(f"{name}, paper", *_blank(2), f"1/{1 / ratio:.1f}", *_blank(4))
    console().print(lines)


def _blank(count: int) -> list[str]:
    return ["-"] * count


def _show_cycles(rows: Sequence[Cycles]) -> None:
    lines = table("cycles", *(f"{row.outlier_percent:g} %" for row in rows))
    lines.add_row("lookup", *(f"{row.lookup}" for row in rows))
    lines.add_row("counter", *(f"{row.counter}" for row in rows))
    console().print(lines)


def draw(rows: Sequence[Density], path: Path) -> None:
    """Draw gates per multiply-accumulate, a group of bars for each block."""
    from matplotlib.figure import Figure

    libraries = list(dict.fromkeys(row.library for row in rows))
    blocks = list(dict.fromkeys(row.block for row in rows))
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.add_subplot(yscale="log")
    width = 0.8 / len(libraries)
    for n, library in enumerate(libraries):
        of = {row.block: row for row in rows if row.library == library}
        places = [place + n * width for place in range(len(blocks))]
        logic = [of[block].ge_per_mac for block in blocks]
        whole = [of[block].ge_per_mac_with_registers for block in blocks]
        bars = axes.bar(places, logic, width, label=library)
        colour = bars.patches[0].get_facecolor()
        axes.bar(places, whole, width, fill=False, edgecolor=colour)
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(blocks))], blocks)
    axes.set_ylabel("GE per multiply-accumulate per cycle\nfilled: logic; outline: whole array")
    axes.grid(axis="y", which="both", alpha=0.3)
    axes.legend()
    save_figure(figure, path)
