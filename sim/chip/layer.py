"""A whole layer of a model on the simulated chip: every vector on the way, bit by bit."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from golden.base.console import console, table
from golden.base.errors import InputError
from golden.chip.decoder import Decoder
from sim.chip.generate import GenerateOptions, generate, prepare
from sim.chip.trace import Kept


@dataclass(frozen=True, kw_only=True)
class LayerRun:
    """What came of it.

    Parameters
    ----------
    kind : str
        Of the model: ``decoder`` or ``encoder``.
    number : int
        Of the layer.
    chip : str
    tokens : int
        That went through the layer.
    vectors : list of Kept
        What the layer made, in its order: one of each for every token.
    other_bytes : int
        Bytes of the memory, after the run, that differ from the golden machine's.
    first_wrong : str
        What differs first; empty if nothing does.
    cycles : int
        Of the layer and those before it.
    """

    kind: str
    number: int
    chip: str
    tokens: int
    vectors: list[Kept]
    other_bytes: int
    first_wrong: str
    cycles: int

    def numbers(self, one: Kept) -> int:
        """Return how many numbers of a vector were compared, for all tokens."""
        return self.tokens * (self.tokens + 1) // 2 if one.grows else self.tokens * one.count


def run_layer(
    decoder: Decoder,
    number: int,
    options: GenerateOptions,
    *,
    stage: Callable[[str], object] = lambda text: None,
) -> LayerRun:
    """Run a layer behind those before it, which make what it reads, and compare all vectors.

    Parameters
    ----------
    decoder : Decoder
    number : int
        Of the layer, from 0.
    options : GenerateOptions
        The prompt has the tokens that go through the layer.
    stage : callable, optional
        Told what is being done.

    Raises
    ------
    InputError
        If there is no such layer, or as :func:`sim.chip.generate.prepare`.
    ToolError
        As :func:`sim.chip.generate.prepare` and :func:`sim.chip.generate.generate`.
    """
    size = decoder.shape
    if not 0 <= number < size.layers:
        raise InputError(f"the decoder's layers are 0 to {size.layers - 1}, got {number}")
    few = replace(
        decoder,
        shape=replace(size, layers=number + 1),
        layers=decoder.layers[: number + 1],
    )
    ready = prepare(few, replace(options, count=1, check_all=True), stage=stage)
    stage("running the chip")
    found = generate(ready)
    assert ready.trace
    assert found.run
    own = [one for one in ready.trace.kept if one.name.startswith(f"layer.{number}.")]
    return LayerRun(
        kind="decoder",
        number=number,
        chip=options.chip,
        tokens=len(options.prompt),
        vectors=own,
        other_bytes=found.other_bytes,
        first_wrong=found.first_wrong,
        cycles=found.run.cycles,
    )


def summary(run: LayerRun) -> dict[str, Any]:
    """Return all figures, ready for JSON."""
    return {
        f"{run.kind}_layer": run.number,
        "chip": run.chip,
        "tokens": run.tokens,
        "vectors": [{"name": one.name, "op": one.op.name.lower()} for one in run.vectors],
        "numbers": sum(map(run.numbers, run.vectors)),
        "bytes_that_differ": run.other_bytes,
        "first_wrong": run.first_wrong,
        "cycles": run.cycles,
    }


def show(run: LayerRun) -> None:
    """Print the figures."""
    title = f"layer {run.number} on {run.chip}, {run.tokens} tokens"
    sheet = table("operation", "vectors a token", "numbers compared", title=title)
    numbers: Counter[str] = Counter()
    vectors: Counter[str] = Counter()
    for one in run.vectors:
        numbers[one.op.name] += run.numbers(one)
        vectors[one.op.name] += 1
    for name, count in vectors.items():
        sheet.add_row(name, f"{count}", f"{numbers[name]:,}")
    console().print(sheet)
    console().print(
        f"{run.other_bytes} bytes of the memory, in which all these vectors are kept, differ"
        " from the golden machine's"
    )
