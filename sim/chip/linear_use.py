"""How much of its array and its bus a chip uses for a LINEAR of one vector, or of several.

``python -m sim.chip.linear_use --chip chip_large`` runs a made-up layer on the chip's Verilog, its
memory compared with the golden machine's, and prints what each further LINEAR takes.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gateware.points.chip import CHIPS
from golden.chip.builder import Builder
from golden.chip.instruction import Op
from golden.chip.machine import Machine
from golden.chip.shape import TOKEN_BYTES, ChipShape
from golden.exact.fp16 import BitArray, to_bits
from golden.exact.linear import QuantizedLinear
from golden.quantise.quantize import quantize_linear
from sim.chip.generate import built
from sim.harness.chip_run import ChipRun, MemoryModel, Start, Task, run_chips

CALIBRATION = 64  # tokens
CYCLES = 10_000_000  # of a run, at most
OUTLIER_SHARE = 0.005  # of a token's activations, on each side


@dataclass(frozen=True)
class Use:
    """What a LINEAR takes, the one before being done.

    Parameters
    ----------
    vectors : int
    cycles : float
    products : float
        Share of the array's products that weights have in them.
    with_outliers : float
        The same with those of outliers' rows.
    bus : float
        Share of what the bus could bring that is brought.
    read_bytes : float
    """

    vectors: int
    cycles: float
    products: float
    with_outliers: float
    bus: float
    read_bytes: float


def made_layer(inputs: int, outputs: int) -> tuple[QuantizedLinear, BitArray]:
    """Return a layer of normal weights, and heavy-tailed tokens (T, K) for it."""
    rng = np.random.default_rng(0)
    x = rng.standard_t(5, (CALIBRATION, inputs)).astype(np.float32)
    layer = quantize_linear(
        rng.normal(size=(inputs, outputs)) / inputs**0.5,
        np.zeros(outputs),
        x,
        weight_bits=4,
        activation_bits=8,
        symmetric=True,
        outlier_share=OUTLIER_SHARE,
    )
    return layer, to_bits(x)


def program(
    shape: ChipShape, layer: QuantizedLinear, x: BitArray, several: int, times: int
) -> tuple[bytes, Start]:
    """Return an image in which ``2**several`` vectors go through a layer so many times."""
    builder, words = Builder(shape), shape.words(layer.inputs)
    tokens = builder.image.reserve("tokens", 2 * TOKEN_BYTES)
    address, stride = builder.rows("x", x[: 1 << several]), builder.row_bytes(layer.inputs)
    for n in range(1 << several):
        place = {"d": n * words, "address": address + n * stride}
        builder.do("x", Op.LOAD, count=layer.inputs, **place)
    builder.ready("layer", "layer", layer)
    end = words << several
    for _ in range(times):
        builder.through("layer", "layer", layer, 0, end, scaled=False, b=several)
    builder.do("next", Op.NEXT, address=tokens + TOKEN_BYTES)
    at, _ = builder.finish()
    return bytes(builder.image.data), Start(program=at, tokens=tokens, known=1, limit=1)


def use(chip: str, layer: QuantizedLinear, x: BitArray, several: int) -> Use:
    """Return what a LINEAR of ``2**several`` vectors takes: of three, the mean of the last two."""
    spec, runs = CHIPS[chip], list[ChipRun]()
    for times in (1, 3):
        image, start = program(spec.shape, layer, x, several, times)
        task = Task(image=image, start=start, memory=MemoryModel(), cycles=CYCLES)
        runs.append(run_chips(built(chip), spec, [task])[0])
        machine = Machine(spec.shape, image)
        machine.run(start.program, start.known)
        assert runs[-1].memory == machine.memory.tobytes(), "golden has other numbers"
    cycles, read = (
        (getattr(runs[1], name) - getattr(runs[0], name)) / 2 for name in ("cycles", "read_bytes")
    )
    lanes, tiles = spec.engine.inputs_per_beat, -(-layer.outputs // spec.engine.output_lanes)
    main = tiles * -(-layer.inputs // lanes) << several
    digits = layer.spec.residual_digits(layer.inputs)
    rows = tiles * digits * -(-2 * layer.k_top // lanes) << several
    main_share, all_share, bus = (
        round(part / cycles, 4) for part in (main, main + rows, read / spec.bus_bytes)
    )
    return Use(1 << several, cycles, main_share, all_share, bus, read)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chip", default="chip_large", choices=CHIPS)
    parser.add_argument("--inputs", type=int, default=768)
    parser.add_argument("--outputs", type=int, default=768)
    parser.add_argument("--json", type=Path, help="keep the figures here")
    chosen = parser.parse_args(arguments)
    shape = CHIPS[chosen.chip].shape
    if not (1 <= chosen.inputs <= shape.inputs_max and 1 <= chosen.outputs <= shape.outputs_max):
        parser.error(
            f"{chosen.chip} takes up to {shape.inputs_max} inputs and {shape.outputs_max} outputs,"
            " and at least one of each"
        )
    layer, x = made_layer(chosen.inputs, chosen.outputs)
    words = shape.words(chosen.inputs) + shape.words(chosen.outputs)
    room = shape.vector_words // words  # for so many vectors
    steps = range(min(shape.tokens_together, room).bit_length())
    if not steps:
        parser.error(f"a vector takes {words} words of the {shape.vector_words}: take fewer")
    found = [use(chosen.chip, layer, x, several) for several in steps]
    size: dict[str, Any] = {name: getattr(layer, name) for name in ("inputs", "outputs", "k_top")}
    print("{chip}: {inputs} x {outputs}, {k_top} outliers a side".format(chip=chosen.chip, **size))
    print("vectors   cycles  products  with outliers   bus")
    for one in found:
        print(
            f"{one.vectors:7} {one.cycles:8.0f} {one.products:9.1%} {one.with_outliers:14.1%}"
            f" {one.bus:5.1%}"
        )
    if chosen.json:
        figures = {"chip": chosen.chip, **size, "rows": [asdict(one) for one in found]}
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
