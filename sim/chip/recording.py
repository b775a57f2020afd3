"""A picture of the chip writing: ``python -m sim.chip.recording docs/generate.json FILE.svg``.

It is made of what ``kllm generate --json`` wrote. Each new token appears when the chip had written
it, at :data:`CYCLES_A_SECOND`; where pictures do not move, all of them are there.
"""

import argparse
import html
import json
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from golden.models.lm.tokens import load_tokenizer

CYCLES_A_SECOND = 50_000  # about what two cores simulate of chip_large
MARGIN, WIDTH, LINE, SIZE = 16, 8.4, 20, 14  # of the picture, a letter and a line; pixels
COLUMNS = 84
STYLE = """
text { font: %dpx monospace; white-space: pre; fill: #c9d1d9 }
.new { fill: #7ee787; animation: hidden linear }
.note { fill: #8b949e }
@keyframes hidden { from { opacity: 0 } to { opacity: 0 } }
"""


def pieces(figures: dict[str, Any]) -> list[tuple[str, float]]:
    """Return the text of the prompt and of each new token, and when it came, in seconds."""
    tokenizer, first = load_tokenizer(), figures["prompt"]
    tokens = figures["tokens"]
    texts = [tokenizer.decode(tokens[:n]) for n in range(first, len(tokens) + 1)]
    new = [text[len(before) :] for before, text in pairwise(texts)]
    times = [cycles / CYCLES_A_SECOND for cycles in accumulate(figures["cycles"])]
    return [(texts[0], 0.0), *zip(new, times, strict=True)]


def picture(figures: dict[str, Any]) -> str:
    """Return the picture as SVG."""
    found: list[str] = []
    column, row = 0, 0

    def put(text: str, kind: str, after: float = 0.0) -> None:
        nonlocal column, row
        for n, line in enumerate(text.split("\n")):
            if n:
                column, row = 0, row + 1
            if line:
                x, y = MARGIN + WIDTH * column, MARGIN + LINE * (row + 1)
                hidden = f' style="animation-duration: {after:.2f}s"' if after else ""
                place = f'x="{x:.1f}" y="{y}" textLength="{WIDTH * len(line):.1f}"'
                found.append(f'<text class="{kind}" {place}{hidden}>{html.escape(line)}</text>')
            column += len(line)

    put(f"$ kllm generate --tokens {len(figures['cycles'])}\n\n", "note")
    for n, (text, after) in enumerate(pieces(figures)):
        put(text, "new" if n else "prompt", after)
    mean = np.mean(figures["cycles"][1:])
    put(
        f"\n\n{figures['chip']}: {mean:.0f} cycles a token; {figures['mismatches']} of"
        f" {figures['logits']} logits differ from the golden machine's",
        "note",
        sum(figures["cycles"]) / CYCLES_A_SECOND,
    )
    width, height = 2 * MARGIN + WIDTH * COLUMNS, 2 * MARGIN + LINE * (row + 1)
    space = f'viewBox="0 0 {width:.0f} {height}" xml:space="preserve"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {space}>',
            f"<title>{figures['chip']} writes text</title>",
            f"<style>{STYLE % SIZE}</style>",
            '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
            *found,
            "</svg>\n",
        ]
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m sim.chip.recording", description=__doc__)
    parser.add_argument("figures", type=Path, help="what kllm generate --json wrote")
    parser.add_argument("svg", type=Path, help="the picture")
    chosen = parser.parse_args()
    chosen.svg.write_text(picture(json.loads(chosen.figures.read_text())))


if __name__ == "__main__":
    main()
