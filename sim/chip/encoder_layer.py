"""A whole layer of an encoder on the simulated chip: every vector on the way, bit by bit."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from golden.base.errors import InputError
from golden.chip.encoder import Encoder
from golden.chip.encoder_compiler import EncoderCompiler
from golden.chip.machine import Machine
from sim.chip.embed import EmbedOptions, run_passes
from sim.chip.generate import built
from sim.chip.layer import LayerRun
from sim.chip.trace import Kept, Trace, store_all


def run_encoder_layer(
    encoder: Encoder,
    number: int,
    tokens: list[int],
    options: EmbedOptions,
    *,
    stage: Callable[[str], object] = lambda text: None,
) -> LayerRun:
    """Run a layer behind those before it, which make what it reads, and compare all vectors.

    Parameters
    ----------
    encoder : Encoder
    number : int
        Of the layer, from 0.
    tokens : list of int
        What goes through it, at least one.
    options : EmbedOptions
        The simulator is not looked at.
    stage : callable, optional
        Told what is being done.

    Raises
    ------
    InputError
        If there is no such layer, or the encoder does not fit the chip.
    ToolError
        If a tool is missing, or a run ends with a fault.
    """
    size = encoder.shape
    if not 0 <= number < size.layers:
        raise InputError(f"the encoder's layers are 0 to {size.layers - 1}, got {number}")
    if not 0 < len(tokens) <= size.context:
        raise InputError(f"a text has 1 to {size.context} tokens, got {len(tokens)}")
    stage("compiling the model")
    few = replace(
        encoder, shape=replace(size, layers=number + 1), layers=encoder.layers[: number + 1]
    )
    compiler = EncoderCompiler(few, options.spec.shape)
    kept: list[Kept] = []
    compiled = compiler.compiled(
        after=lambda: kept.extend(store_all(compiler, len(tokens), f"layer.{number}."))
    )
    image = compiled.with_tokens(tokens)
    stage(f"building {options.chip}")
    program = built(options.chip)
    stage("running the chip")
    runs = run_passes(program, options, compiled, image, len(tokens))
    stage("running the golden machine")
    memory = image
    for address in compiled.programs:
        machine = Machine(options.spec.shape, memory)
        for _ in tokens:
            machine.run(address, len(tokens))
        memory = machine.memory.tobytes()
    found, golden = (np.frombuffer(each, np.uint8) for each in (runs[-1].memory, memory))
    wrong = int((found != golden).sum())
    return LayerRun(
        kind="encoder",
        number=number,
        chip=options.chip,
        tokens=len(tokens),
        vectors=kept,
        other_bytes=wrong,
        first_wrong=Trace(kept).first(found, golden, len(tokens)) if wrong else "",
        cycles=sum(run.cycles for run in runs),
    )
