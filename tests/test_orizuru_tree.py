"""The paper's outlier engines as designs: what is refused, what is emitted, how fast."""

import time

import pytest

from gateware.design import Design
from gateware.points import point
from hw.topk.orizuru.orizuru_leaf import OrizuruLeaf
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.orizuru_tree import OrizuruTree
from hw.topk.orizuru.orizuru_unit import OrizuruUnit
from hw.topk.orizuru.orizuru_upper import OrizuruUpper
from synth.area.measure_design import measure
from synth.libraries.liberty import Library


def spec(inputs: int, values_per_beat: int) -> OrizuruSpec:
    return OrizuruSpec(inputs_max=inputs, outliers_max=2, values_per_beat=values_per_beat)


@pytest.mark.parametrize(
    ("kind", "inputs", "values_per_beat", "said"),
    [
        (OrizuruUnit, 12, 4, "inputs_max must be a power of two"),
        (OrizuruUnit, 16, 32, "values_per_beat must be from 2 to 16"),
        (OrizuruUnit, 16, 1, "values_per_beat must be from 2 to 16"),
        (OrizuruTree, 16, 1, "values_per_beat must be from 2 to 256"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    kind: type, inputs: int, values_per_beat: int, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kind(spec(inputs, values_per_beat))


def test_the_large_tree_is_emitted_quickly_each_unit_once() -> None:
    tree = point("orizuru_tree")
    began = time.process_time()
    text = tree.verilog()
    assert time.process_time() - began < 60
    shared = {name: type(part) for name, part in tree.emission.modules.items()}
    kinds = [kind for name, kind in shared.items() if name != tree.name]
    assert kinds == [OrizuruLeaf, OrizuruUpper, OrizuruUpper]  # middle and root: other positions
    copies = [text.count(f"\n  {name} ") for name in shared if name != tree.name]
    assert copies == [256, 2 * 16, 2 * 1]


@pytest.mark.parametrize("engine", [OrizuruUnit(spec(16, 16)), OrizuruTree(spec(256, 16))])
def test_clock_is_no_slower_than_that_of_other_engines(
    engine: OrizuruUnit | OrizuruTree, library: Library
) -> None:
    one = Design(name="engine", make=lambda: engine)
    assert measure(one, library).delay_fo4 <= 45
