"""The counter engine and its components, as the benches try them."""

from golden.spec import NumberSpec
from hw.counter.counter_engine import CounterEngine
from hw.counter.counter_spec import CounterSpec
from sim.blocks.block import Block


def counter_spec(
    *,
    symmetric: bool,
    folded: bool = False,
    counters: int = 2,
    counter_inputs: int = 2,
) -> CounterSpec:
    """Return a counter engine of a size for benches."""
    return CounterSpec(
        numbers=NumberSpec(symmetric=symmetric, magnitude_bits=8 if symmetric else 9),
        inputs_per_beat=2,
        output_lanes=2,
        inputs_max=16,
        outputs_max=16,
        outliers_max=4,
        scale_lanes=1,
        counters=counters,
        counter_inputs=counter_inputs,
        tree_lanes=32,
        compensation_macs=2,
        folded=folded,
    )


PLAIN = counter_spec(symmetric=False)
SYMMETRIC = counter_spec(symmetric=True)
FOLDED = counter_spec(symmetric=True, folded=True, counters=1, counter_inputs=4)
WIDE = counter_spec(symmetric=True, folded=True, counters=4, counter_inputs=4)

COUNTER_BLOCKS = {
    "counter_engine_plain": Block("bench_counter_engine", lambda: CounterEngine(PLAIN)),
    "counter_engine_symmetric": Block("bench_counter_engine", lambda: CounterEngine(SYMMETRIC)),
    "counter_engine_folded": Block("bench_counter_engine", lambda: CounterEngine(FOLDED)),
}
