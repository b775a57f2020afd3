"""How many cycles a second an engine's simulations do: as emitted for people, and for simulators.

    python -m sim.run.speed minilm_symmetric

Seconds are of the processor's time, so that other work on the machine does not count. The
outputs of all runs must be the same, bit for bit.
"""

import argparse

import numpy as np

from gateware.emit import verilog
from gateware.engines.kinds import engine_of
from gateware.points import point
from sim.kit.launch import text_of
from sim.kit.random_layer import random_layer, random_tokens
from sim.run.cocotb_run import run_in_cocotb
from sim.run.harness_run import run_in_harness
from sim.run.layer_result import LayerRun

TIME_LIMIT = 6 * 3600
SEED = 3


def measure(name: str, inputs: int, tokens: int, way: str) -> LayerRun:
    """Run a random layer of one tile of outputs, its lanes busy in most cycles.

    Parameters
    ----------
    name : str
        Design point.
    inputs : int
        Input channels of the layer.
    tokens : int
        How many.
    way : str
        ``harness``; or a simulator under cocotb, ``icarus`` or ``verilator``, with ``plain``
        after it for the Verilog that people get.
    """
    spec = point(name).spec
    rng = np.random.default_rng(SEED)
    layer = random_layer(rng, spec.numbers, inputs=inputs, outputs=spec.output_lanes, k_top=1)
    x = random_tokens(rng, tokens, inputs)
    simulator, *plain = way.split()
    component = point(name).make()
    text = (verilog if plain else text_of)(component, name)
    if simulator == "harness":
        run = run_in_harness(name, component, text, layer, x, time_limit=TIME_LIMIT)
    else:
        run = run_in_cocotb(name, text, layer, x, simulator=simulator, time_limit=TIME_LIMIT)
    golden = engine_of(component).golden(layer, x)
    np.testing.assert_array_equal(run.y, golden.y)
    return run


def main() -> None:
    """Measure the ways that the command line names, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m sim.run.speed", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("design")
    parser.add_argument("--inputs", type=int, default=320)
    parser.add_argument("--tokens", type=int, default=2, help="in the harness 1000 times as many")
    ways = ["icarus plain", "icarus", "verilator plain", "verilator", "harness"]
    parser.add_argument("--ways", nargs="+", choices=ways, default=ways)
    arguments = parser.parse_args()
    for way in arguments.ways:
        tokens = arguments.tokens * (1000 if way == "harness" else 1)
        run = measure(arguments.design, arguments.inputs, tokens, way)
        speed = run.simulated / run.seconds
        print(f"{way:16} {run.simulated:9} cycles, {speed:9.1f} a second", flush=True)


if __name__ == "__main__":
    main()
