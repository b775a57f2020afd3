"""The FP16 counter engine's cycles at the paper's size, its parts' areas, its refusals."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from gateware.counter_fp16_designs import COUNTER_FP16_DESIGNS, PAPER, SMALL
from gateware.design import Design
from gateware.engines.kinds import engine
from golden.base.errors import InputError
from golden.exact.spec import NumberSpec
from hw.fp16.fp16_fma import Fp16Fma
from hw.linear.counter_fp16.count_multiply import CountMultiply
from hw.linear.counter_fp16.fp16_compensation_mac import Fp16CompensationMac
from hw.linear.counter_fp16.fp16_count_tree import Fp16CountTree
from sim.kit.random_layer import random_layer
from synth.area.measure_design import measure
from synth.libraries.liberty import Library

DESIGNS = {design.name: design for design in COUNTER_FP16_DESIGNS}
LONGEST_PATH = 45.0  # FO4


def test_paper_scale_takes_the_papers_cycles() -> None:
    """1 x 4096 x 4096: 256 tiles of 8 slices; 42 outliers, 4 blocks of 8 turns."""
    assert PAPER.main_cycles(4096, 4096) == 2048
    assert PAPER.compensation_cycles(4096, 42) == 42 * 4 * 8 == 1344
    # A block that is not full takes its turns all the same.
    assert PAPER.compensation_cycles(1025, 42) == 2 * 42 * 8


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"slots": 4}, "slots must be from 8 to 64, got 4"),
        ({"slots": 12}, "slots must be a power of two from 8 to 64, got 12"),
    ],
)
def test_refused_sizes(changes: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(SMALL, **changes)


def test_bins_are_not_folded() -> None:
    numbers = NumberSpec(symmetric=True, magnitude_bits=8)
    with pytest.raises(ValueError, match="folded must be False"):
        replace(SMALL, numbers=numbers, folded=True)


def test_refused_parts() -> None:
    with pytest.raises(ValueError, match="count_bits must be from 1 to 15, got 16"):
        CountMultiply(16)
    with pytest.raises(ValueError, match="tree_lanes must be from 2 to 128, got 256"):
        Fp16CountTree(256, 5)
    with pytest.raises(ValueError, match="slots must be from 6 to 64, got 5"):
        Fp16CompensationMac(5)


def test_refused_layers() -> None:
    rng = np.random.default_rng(0)
    numbers = NumberSpec(symmetric=True, magnitude_bits=8)
    layer = random_layer(rng, numbers, inputs=16, outputs=16, k_top=0)
    with pytest.raises(InputError, match="the layer has symmetric codebooks; this engine is made"):
        engine(SMALL).load_words(layer)
    large = random_layer(rng, SMALL.numbers, inputs=300, outputs=16, k_top=0)
    with pytest.raises(InputError, match="takes at most 256"):
        engine(SMALL).load_words(large)


@pytest.mark.parametrize(
    ("name", "copies", "paper", "most"),
    [
        ("fp16_count_tree", 32, 1.31, 1.10),
        ("dequant_unit", 1, 1.01, 0.82),
        ("error_unit", 1, 1.47, 1.30),
        ("fp16_compensation_mac", 1, 1.00, 1.10),
    ],
)
def test_parts_are_lean(
    library: Library,
    capsys: pytest.CaptureFixture[str],
    name: str,
    copies: int,
    paper: float,
    most: float,
) -> None:
    """Prints each part over our pipelined FP16 fused multiply-add beside the paper's ratio."""
    fma = Design(
        name="fma", make=lambda: Fp16Fma(pipelined=True), about="", parameters={"pipelined": True}
    )
    area, unit = measure(DESIGNS[name], library), measure(fma, library)
    ratio = area.ge / copies / unit.ge
    with capsys.disabled():
        print(
            f"\n{name}: {area.ge / copies:.0f} GE a lane or unit, {ratio:.2f} FP16 FMAs"
            f" (paper: {paper:.2f} of its MACs), {area.delay_fo4:.1f} FO4"
        )
    assert ratio < most
    assert area.delay_fo4 <= LONGEST_PATH


def test_design_says_what_it_is() -> None:
    parameters = DESIGNS["counter_fp16_small"].parameters
    assert parameters["numbers"] == "fp16"
    assert set(parameters) == set(asdict(SMALL))
