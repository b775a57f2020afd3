"""What came of texts that went through an encoder: figures and tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from golden.base.console import console, table
from golden.quantise.methods.layer import Array
from sim.chip.embed import Embedded, EmbedOptions

HEAD = 4  # numbers of a vector that are shown
SHOWN = 40  # characters of a text


@dataclass(frozen=True)
class Vector:
    """A text, what became of it, and the vector (hidden,) that full precision has, if known."""

    text: str
    embedded: Embedded
    exact: Array | None

    @property
    def cosine(self) -> float | None:
        """The cosine between both vectors."""
        if self.exact is None:
            return None
        return float(self.embedded.vector.astype(np.float64) @ self.exact.astype(np.float64))


def summary(found: Sequence[Vector], options: EmbedOptions) -> dict[str, Any]:
    """Return all figures, ready for JSON."""
    cosines = [one.cosine for one in found if one.cosine is not None]
    return {
        "chip": options.chip,
        "simulator": options.simulator,
        "cosine_mean": float(np.mean(cosines)) if cosines else None,
        "cosine_least": min(cosines, default=None),
        "numbers_compared": sum(one.embedded.hidden.size for one in found),
        "numbers_that_differ": sum(one.embedded.mismatches for one in found),
        "texts": [
            {
                "text": one.text,
                "tokens": one.embedded.tokens,
                "cosine": one.cosine,
                "cycles": one.embedded.cycles,
                "read_bytes": one.embedded.read_bytes,
                "write_bytes": one.embedded.write_bytes,
                "vector": one.embedded.vector.tolist(),
            }
            for one in found
        ],
    }


def show(found: Sequence[Vector], options: EmbedOptions) -> None:
    """Print the figures."""
    figures = summary(found, options)
    by_chip = any(one.embedded.cycles for one in found)
    made_by = f"{options.chip}'s Verilog" if by_chip else "the golden model"
    columns = ("tokens", "cosine to FP32", "cycles a token", "vector")
    sheet = table("text", *columns, title=f"vectors of texts, by {made_by}")
    for one in found:
        tokens, cycles = len(one.embedded.tokens), one.embedded.cycles
        head = " ".join(f"{value:7.4f}" for value in one.embedded.vector[:HEAD])
        text = one.text if len(one.text) <= SHOWN else one.text[: SHOWN - 1] + "…"
        each = f"{cycles / tokens:,.0f}" if cycles else ""
        cosine = "" if one.cosine is None else f"{one.cosine:.4f}"
        sheet.add_row(text, f"{tokens}", cosine, each, f"{head} …")
    console().print(sheet)
    if figures["cosine_mean"] is not None:
        console().print(
            f"cosine to FP32: {figures['cosine_mean']:.4f} in the mean,"
            f" {figures['cosine_least']:.4f} at least"
        )
    if by_chip:
        console().print(
            f"{figures['numbers_that_differ']} of {figures['numbers_compared']:,} numbers of hidden"
            " states differ from the golden model's"
        )
