"""What the explorer shows: estimates over a grid of choices, and figures of others beside them.

All is reckoned here, by the functions that ``kllm cycles`` uses; the page only picks from it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateware.system.compare import figlut_watts
from gateware.system.designs import CLOCK, Chip, chips
from gateware.system.energies import array_area, array_ge
from gateware.system.estimate import Estimate, Phase, estimate
from gateware.system.paper import PAPER_DERIVED, paper_dram_watts
from golden.base.errors import InputError
from golden.system.memories import MEMORIES, SRAM_SOURCE
from golden.system.published import PAPER_SPEED, PAPER_WATTS, Peer, peers
from golden.system.shapes import MODELS, ModelShape

Progress = Callable[[str, float], None]

BATCHES = (1, 2, 4, 8, 16)
CONTEXTS = tuple(1 << n for n in range(8, 18))
PHASES = ("decode", "prompt")
DIGITS = 7  # significant ones that are kept of a figure
# Bits of an activation where a design leaves no choice.
FIXED_BITS = {"counter": 4, "int4": 4, "int8": 8, "fp16": 16}
ABOUT = {
    "lookup": "One lookup engine of 64 x 128 lanes.",
    "lookup x4": "Four lookup engines of 32 x 64 lanes: they share a layer's outputs, and have"
    " heads of their own.",
    "counter": "The paper's: 16 lines that count 512 pairs of indices in a cycle.",
    "int4": "INT4 with FP16 scales for groups of 128; all else for nothing.",
    "int8": "INT8; all else for nothing.",
    "fp16": "FP16; all else for nothing.",
}
# By how much the perplexity of the project's language model grows, and its standard error: linear
# layers alone, docs/accuracy.json. What the array of INT4 would run is QuaRot's strongest form.
FULL_PRECISION = 11.83
PERPLEXITY = {
    "lookup A4": (0.2020, 0.0197, "this project, W4A4"),
    "lookup A5": (0.1134, 0.0142, "this project, W4A5"),
    "lookup A8": (0.0926, 0.0112, "this project, W4A8, rows made"),
    "int4": (0.2616, 0.0194, "QuaRot, W4A4 (`quarot_asym_g128`)"),
    "fp16": (0.0, 0.0, "taken as full precision"),
}
ARRAY_SOURCE = (
    "cells in ASAP7 (a predictive kit: 7 nm, 0.7 V, typical), simulated as gates at 500 MHz by"
    " python -m synth.power.arrays; three times that for wires and for all else on the chip, which"
    " is supposed"
)
ACCURACY_SOURCE = "kllm accuracy, seed 0, 128 windows of 256 tokens of held-out text"
# Bits of a weight in memory on a GPU: int4 has FP16 scales and zero points for groups of 128.
GPU_WEIGHT_BITS = {"bf16": 16.0, "fp16": 16.0, "int4": 4.25, "kmeans4": 4.0}
GPU_CACHE_BITS = 16


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A figure of others that stands beside ours.

    Parameters
    ----------
    name, source : str
    kind : str
        ``gpu`` or ``paper``.
    model : str
    batch : int
    context : int or None
        Tokens before; None where it is not said.
    tokens_per_second : float
    chip_mj, whole_mj : float or None
        Of a token: of the chip alone; of all that is counted.
    bound : str
        ``at most`` where the energy is an upper bound.
    intensity, rate : float or None
        Products for each byte from memory, and products a second: our derivation.
    """

    name: str
    source: str
    kind: str
    model: str
    batch: int = 1
    context: int | None = None
    tokens_per_second: float
    chip_mj: float | None = None
    whole_mj: float | None = None
    bound: str = ""
    intensity: float | None = None
    rate: float | None = None


def engines() -> dict[str, tuple[Chip, int]]:
    """Return the designs with each form of activations that they have, and its bits."""
    found: dict[str, tuple[Chip, int]] = {}
    for name, chip in chips().items():
        if name in FIXED_BITS:
            found[name] = chip, FIXED_BITS[name]
        else:
            found |= {f"{name} A{bits}": (chips(bits)[name], bits) for bits in (4, 5, 8)}
    return found


def explore(
    models: Mapping[str, ModelShape], progress: Progress = lambda stage, share: None
) -> dict[str, Any]:
    """Return all that the page shows, as plain data.

    ``values`` and each of ``memories`` have lists with an entry for each model, engine, phase,
    batch and context, the last of these the fastest; ``one_by_one`` for each model, engine and
    context.

    Parameters
    ----------
    models : mapping of str to ModelShape
        By what ``kllm cycles`` takes for each: a name, or a path.
    progress : callable
        Told what is reckoned, and which share of all is done.

    Raises
    ------
    InputError
        If one of them generates no tokens.
    """
    for one in models.values():
        if one.encoder:
            raise InputError(f"{one.name} generates no tokens: the explorer has decoders alone")
    grid: list[list[Estimate]] = []
    for done, (key, (chip, _)) in enumerate(engines().items()):
        progress(f"estimates of {key}", done / len(engines()))
        grid.append([one for model in models.values() for one in _of_engine(model, chip)])
    size = len(PHASES) * len(BATCHES) * len(CONTEXTS) * len(MEMORIES)
    points = [
        one
        for model in range(len(models))
        for column in grid
        for one in column[model * size : (model + 1) * size]
    ]
    of_memory = [points[place :: len(MEMORIES)] for place in range(len(MEMORIES))]
    return {
        "models": [_about(*one) for one in models.items()],
        "engines": [_engine(key, chip, bits) for key, (chip, bits) in engines().items()],
        "phases": PHASES,
        "batches": BATCHES,
        "contexts": CONTEXTS,
        "clock": CLOCK,
        "full_precision": FULL_PRECISION,
        "sources": [
            f"Array: {ARRAY_SOURCE}",
            f"Buffers: {SRAM_SOURCE}",
            f"Accuracy: {ACCURACY_SOURCE}",
        ],
        "values": {
            "bytes": [short(one.bytes / one.tokens) for one in of_memory[0]],
            "products": [short(one.products_per_token) for one in of_memory[0]],
            "linear_cycles": [short(one.linear_cycles / one.tokens) for one in of_memory[0]],
            "attention_cycles": [short(one.attention_cycles / one.tokens) for one in of_memory[0]],
            "array_mj": [short(one.array_mj) for one in of_memory[0]],
            "sram_mj": [short(one.sram_mj) for one in of_memory[0]],
        },
        "memories": [
            asdict(memory)
            | {
                "key": key,
                "streamed": memory.streamed,
                "tokens_per_second": [short(one.tokens_per_second) for one in found],
                "dram_mj": [short(one.dram_mj) for one in found],
                "bound": "".join(one.bound[0] for one in found),
                "one_by_one": [
                    one.one_by_one and short(one.one_by_one)
                    for one in found
                    if one.phase.startswith("decode, batch 1,")
                ],
            }
            for (key, memory), found in zip(MEMORIES.items(), of_memory, strict=True)
        ],
        "marks": [asdict(one) for one in marks([*models.values()])],
    }


def _of_engine(model: ModelShape, chip: Chip) -> Iterator[Estimate]:
    for phase in PHASES:
        for batch in BATCHES:
            for context in CONTEXTS:
                asked = Phase(context=context, batch=batch, prefill=phase == "prompt")
                for memory in MEMORIES.values():
                    yield estimate(model, chip, memory, asked)


def short(value: float) -> float:
    """Return a figure with as many digits as the page keeps."""
    return float(f"{value:.{DIGITS}g}")


def _about(argument: str, model: ModelShape) -> dict[str, Any]:
    sizes = ("name", "layers", "heads", "kv_heads", "head_width")
    about = {key: getattr(model, key) for key in sizes}
    return about | {"argument": argument, "weights": model.weights}


def _engine(key: str, chip: Chip, bits: int) -> dict[str, Any]:
    grown, error, source = PERPLEXITY.get(key.replace(" x4", ""), (None, None, ""))
    return {
        "key": key,
        "design": chip.name,
        "about": ABOUT[chip.name],
        "bits": bits,
        "products": chip.products,
        "engines": chip.engines,
        "mge": chip.products * array_ge(chip.energy) / 1e6,
        "mm2": chip.products * array_area(chip.energy) / 1e6,
        "perplexity": grown,
        "perplexity_error": error,
        "accuracy_of": source,
    }


def marks(models: Sequence[ModelShape]) -> Iterator[Mark]:
    """Yield what others print or what was measured on GPUs, for models that are shown."""
    shown = {model.name: model for model in models}
    for name, speed in PAPER_DERIVED.items():
        if name not in shown:
            continue
        weights = shown[name].weights
        yield Mark(
            name="KLLM paper, linear layers alone",
            source="our derivation: its cycles, 9.66 W of its chip, HBM2 at 3.92 pJ/bit",
            kind="paper",
            model=name,
            tokens_per_second=speed,
            chip_mj=PAPER_WATTS / speed * 1e3,
            whole_mj=(PAPER_WATTS + paper_dram_watts()) / speed * 1e3,
            intensity=2.0,  # weights of 4 bits and nothing else
            rate=speed * weights,
        )
        speed /= PAPER_SPEED["FIGLUT"]
        yield Mark(
            name="FIGLUT, as KLLM's paper has it",
            source="our derivation: a third of the paper's speed, 4.64 W, no DRAM",
            kind="paper",
            model=name,
            tokens_per_second=speed,
            chip_mj=figlut_watts() / speed * 1e3,
        )
    for peer in peers():
        if peer.model in shown:
            yield _of_peer(peer, shown[peer.model])


def _of_peer(peer: Peer, model: ModelShape) -> Mark:
    context = peer.context or 0
    products = model.weights + 2 * model.layers * model.heads * model.head_width * context
    bits = model.weights * GPU_WEIGHT_BITS[peer.form] / peer.batch
    intensity = 8 * products / (bits + model.cached(context) * GPU_CACHE_BITS)
    facts = {key: getattr(peer, key) for key in ("name", "source", "batch", "context", "bound")}
    mark = Mark(kind="gpu", model=model.name, tokens_per_second=peer.tokens_per_second, **facts)
    joules = peer.joules and peer.joules * 1e3
    rate = products * peer.tokens_per_second
    return replace(mark, whole_mj=joules, intensity=intensity, rate=rate)


def default_models() -> dict[str, ModelShape]:
    """Return the models that generate tokens."""
    return {name: model for name, model in MODELS.items() if not model.encoder}
