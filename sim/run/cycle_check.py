"""Closed forms of cycles against simulation: shapes drawn at random, on engines of every kind."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gateware.design import Design
from gateware.engines.contract import Contract
from gateware.engines.kinds import engine_of, is_engine
from gateware.points import point
from golden.base.errors import ToolError
from golden.base.locks import alone_in
from golden.exact.fp16 import BitArray, to_bits
from hw.formats import SCALE
from sim.harness.harness import HarnessRun, Task, build_harness, run_harness
from sim.kit.launch import BUILD, text_of
from sim.kit.mac_layers import MacLayer
from sim.kit.random_layer import random_factors, random_layer
from sim.kit.words import pack

# One of every kind and form; small, so that a program for each is there soon. Their benches have
# the same formulas for counter engines with plain codebooks and in FP16.
DESIGNS = (
    *("lookup_engine_symmetric", "lookup_engine_a5", "lookup_engine_factor"),
    *("counter_engine_folded", "int4_array_16x2", "fp16_array_4x1"),
)
SHAPES = 8  # of each design
SETTLED = 6  # beats behind the outliers, in which Orizuru has nothing left to do
MOST = 1 << 20  # cycles, before a run is given up
TIME_LIMIT = 600.0  # seconds of the processor's time, for a build and again for a run


@dataclass(frozen=True, kw_only=True)
class Check:
    """One number of cycles, as the closed form has it and as it was simulated.

    Parameters
    ----------
    design : str
    inputs, outputs, k_top : int
        The shape.
    what : str
        Which cycles.
    formula, simulated : int
    """

    design: str
    inputs: int
    outputs: int
    k_top: int
    what: str
    formula: int
    simulated: int

    @property
    def right(self) -> bool:
        """Whether both are the same."""
        return self.formula == self.simulated


def check_cycles(
    seed: int, shapes: int = SHAPES, designs: tuple[str, ...] = DESIGNS, say: Callable = print
) -> Iterator[Check]:
    """Simulate shapes on each design and yield what the closed forms say of them beside it.

    Parameters
    ----------
    seed : int
        Draws the shapes, and the numbers.
    shapes : int
        Of each design; the first is the largest.
    designs : tuple of str
        Design points.
    say : callable
        Told of each design, and of the share that is done.
    """
    for n, name in enumerate(designs):
        say(f"cycles of {name}", n / len(designs))
        design = point(name)
        rng = np.random.default_rng([seed, n])
        with alone_in(BUILD / f"{name}-harness") as folder:
            component: Any = design.make()
            text = text_of(component, name)
            program = build_harness(folder, text, name, component, time_limit=TIME_LIMIT)
            check = _engine if is_engine(design) else _array

            def run(task: Task, program: Any = program, component: Any = component) -> HarnessRun:
                return run_harness(program, component, task, time_limit=TIME_LIMIT)

            for shape in range(shapes):
                yield from check(design, component, rng, run, largest=shape == 0)


Run = Callable[[Task], HarnessRun]


def _engine(
    design: Design, component: Any, rng: np.random.Generator, run: Run, *, largest: bool
) -> Iterator[Check]:
    """Run a token alone, then several of a lookup engine's, through a layer of an engine."""
    contract = engine_of(component)
    spec = contract.spec
    inputs, outputs, k_top = _shape(rng, spec, largest=largest)
    layer = random_layer(rng, spec.numbers, inputs=inputs, outputs=outputs, k_top=k_top)
    x = _tokens(rng, 1, inputs, k_top)
    shape = {"design": design.name, "inputs": inputs, "outputs": outputs, "k_top": k_top}
    streams = list(contract.WEIGHTS.items())
    found = run(_task(contract, layer, x, rng))
    taken = {name: at.astype(np.int64) for name, at in found.taken_at.items()}
    first, *rest = (taken[answer] for _, answer in streams)
    later = int(rest[0][0] - first[0]) if rest and len(rest[0]) else 1
    last = int(taken["o"][-1])
    beats = contract.weight_beats(inputs, outputs, k_top)
    if beats != len(first):
        raise ToolError(f"{design.name}: {len(first)} beats of weights, not {beats}")
    alone = contract.alone(inputs, outputs, k_top, later=later)
    yield Check(
        **shape, what="weights to outputs", formula=alone, simulated=last - int(first[0]) + 1
    )
    memory = int(first[0] - taken[streams[0][0]][0])
    came = taken["i"]
    if inputs >= 2 * k_top + SETTLED * spec.inputs_per_beat or not k_top:
        cycles = contract.cycles(inputs, outputs, k_top, memory=memory)
        formula = cycles.latency - len(came) + 1
        if rest:  # the formula has the branches begin together
            formula += alone - contract.alone(inputs, outputs, k_top)
        what = "last activations to outputs"
        yield Check(**shape, what=what, formula=formula, simulated=last - int(came[-1]) + 1)


def _shape(rng: np.random.Generator, spec: Any, *, largest: bool) -> tuple[int, int, int]:
    """Return inputs, outputs and outliers on each side that an engine takes."""
    if largest:
        return spec.inputs_max, spec.outputs_max, min(2, spec.outliers_max)
    inputs = int(rng.integers(1, spec.inputs_max, endpoint=True))
    outputs = int(rng.integers(1, spec.outputs_max, endpoint=True))
    k_top = int(rng.integers(0, min(spec.outliers_max, inputs // 2), endpoint=True))
    return inputs, outputs, k_top


def _tokens(rng: np.random.Generator, count: int, inputs: int, k_top: int) -> BitArray:
    """Return tokens whose outliers come first, so that Orizuru does not hold the last beats."""
    x = rng.normal(size=(count, inputs))
    order = np.argsort(x, axis=1)
    ends = np.hstack(
        [order[:, :k_top], order[:, inputs - k_top :], order[:, k_top : inputs - k_top]]
    )
    return to_bits(np.take_along_axis(x, ends, axis=1)).astype(np.uint16)


def _task(contract: Contract[Any], layer: Any, x: BitArray, rng: np.random.Generator) -> Task:
    """Return what loads a layer and runs tokens."""
    streams: Any = contract.component.signature.members
    word = streams["load_i"].signature.members["payload"].shape
    factor = random_factors(rng, len(x)) if contract.spec.token_factor else None
    factors = contract.factor_words(len(x), factor)
    return Task(
        feeds={
            "load_i": [pack(word, one) for one in contract.load_words(layer)],
            "i": list(contract.activation_beats(x)),
        },
        beside={"factor_i": [pack(SCALE, one) for one in factors]} if factors else {},
        wanted={"o": len(x) * contract.output_beats(layer.outputs)},
        memories=contract.memory_images(layer),
        cycles=MOST,
    )


def _array(
    design: Design, component: Any, rng: np.random.Generator, run: Run, *, largest: bool
) -> Iterator[Check]:
    """Run a layer of whole tiles through a baseline array; its sums are compared, too."""
    spec = component.spec
    most = min(spec.inputs_max // spec.inputs_per_beat, 64)
    beats = most if largest else int(rng.integers(1, most, endpoint=True))
    tiles = spec.interleave * int(rng.integers(1, 6))
    layer = MacLayer(rng, spec, beats, tiles)
    members = component.signature.members
    word, tile = (members[port].signature.members["payload"].shape for port in "io")
    inputs = {
        name: pack(members[name].shape, table.tolist()) for name, table in layer.centroids.items()
    }
    stream = [pack(word, beat) for beat in layer.stream()]
    found = run(Task(feeds={"i": stream}, wanted={"o": tiles}, inputs=inputs, cycles=MOST))
    if found.words["o"] != [pack(tile, sums) for sums in layer.sums()]:
        raise ToolError(f"{design.name}: sums differ from the golden model's")
    came, went = found.taken_at["i"], found.taken_at["o"]
    size = beats * spec.inputs_per_beat, tiles * spec.output_lanes
    yield Check(
        design=design.name,
        inputs=size[0],
        outputs=size[1],
        k_top=0,
        what="first beat to last sums",
        formula=spec.cycles(*size),
        simulated=int(went[-1]) - int(came[0]) + 1,
    )


def as_json(found: list[Check]) -> list[dict[str, Any]]:
    """Return the checks as plain data."""
    return [asdict(one) | {"right": one.right} for one in found]
