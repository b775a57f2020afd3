"""Figures of others, each with its source, and those measured on a GPU."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("gpu.json")
MODEL, CONTEXT = "llama-2-7b", 1024
A100_BANDWIDTH, A100_WATTS = 2.0e12, 330.0
A100_SOURCE = (
    "gpt-fast's README (pytorch-labs, 32971d3): A100 80 GB limited to 330 W, batch 1; joules are"
    " those of the limit, so an upper bound"
)
# What KLLM's paper prints as means over models, at one batch: its speed and energy efficiency over
# these.
PAPER_SPEED = {"A100": 5.41, "QuaRot": 3.12, "FIGLUT": 3.00}
PAPER_EFFICIENCY = {"A100": 198.1, "QuaRot": 108.8, "FIGLUT": 1.44}
PAPER_WATTS = 9.66


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What another machine does with a token.

    Parameters
    ----------
    name, source : str
    model, form : str
        What it generates with, and the format of the weights.
    batch : int
        Texts side by side.
    context : int or None
        Tokens before; None where that is not said.
    bytes_per_second : float
        Of its memory.
    tokens_per_second : float
        Decoding, of all texts together.
    joules : float or None
        Of a token, all that is counted.
    bound : str
        ``at most`` where the joules are an upper bound.
    """

    name: str
    source: str
    model: str
    form: str
    batch: int
    context: int | None
    bytes_per_second: float
    tokens_per_second: float
    joules: float | None
    bound: str = ""

    @property
    def per_terabyte(self) -> float:
        """Tokens a second for each TB/s of bandwidth."""
        return self.tokens_per_second / self.bytes_per_second * 1e12


@cache
def gpu() -> dict[str, Any]:
    """Return what was measured on a GPU."""
    return json.loads(KEPT.read_text(encoding="utf-8"))


def peers() -> Iterator[Peer]:
    """Yield the GPUs with all that is known of them."""
    for form, speed in (("int4", 196.8), ("bf16", 104.9)):
        yield Peer(
            name=f"A100, {form}",
            source=A100_SOURCE,
            model=MODEL,
            form=form,
            batch=1,
            context=None,
            bytes_per_second=A100_BANDWIDTH,
            tokens_per_second=speed,
            joules=A100_WATTS / speed,
            bound="at most",
        )
    measured = gpu()
    for row in measured["decode"]:
        context = row.get("context", row.get("prompt"))
        how = "CUDA graph" if row["how"] == "graph" else f"eager, context {context}"
        yield Peer(
            name=f"H200, {row['format']}, {how}",
            source=measured["source"],
            model=row["model"],
            form=row["format"],
            batch=row["batch"],
            context=context,
            bytes_per_second=measured["bytes_per_second"],
            tokens_per_second=row["tokens_per_s"],
            joules=row["joule_per_token"],
        )


def beside() -> Iterator[Peer]:
    """Yield those that stand beside whole chips: LLaMA-2-7B, one text, about the same context."""
    for peer in peers():
        if (peer.model, peer.batch) == (MODEL, 1) and peer.context in (None, CONTEXT, 512):
            yield peer
