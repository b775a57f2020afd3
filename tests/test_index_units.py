"""Units of nonlinear operations on indices: their size, their time, what they refuse."""

from collections.abc import Callable

import pytest

from gateware.points import point
from golden.quantise.index_fit import THRESHOLDS
from hw.index.index_map import IndexMap
from hw.index.index_softmax import IndexSoftmax
from hw.index.index_squares import IndexSquares
from hw.index.index_sum import IndexSum
from hw.index.score_quantizer import ScoreQuantizer
from synth.area.measure_design import measure
from synth.libraries.liberty import Library


@pytest.mark.parametrize(
    ("name", "most_ge"),
    [
        ("index_softmax", 16500),
        ("index_sum", 7400),
        ("index_map", 6200),
        ("index_squares", 1950),
    ],
)
def test_units_are_small_and_stages_short(library: Library, name: str, most_ge: int) -> None:
    area = measure(point(name), library)
    assert area.ge < most_ge
    assert area.delay_fo4 <= 45


def test_sixteen_elements_a_cycle_take_24_kge(library: Library) -> None:
    """Softmax, a map of a codebook, norms: softmax and norms take turns at the sums by counts."""
    names = ("index_softmax", "index_map", "index_squares")
    assert sum(measure(point(name), library).ge for name in names) < 24e3


def test_a_row_is_out_48_cycles_after_its_beats() -> None:
    """Its first indices come ``latency`` cycles after the last scores, then a beat a cycle."""
    block = IndexSoftmax(16, 256, THRESHOLDS)
    assert block.latency - 1 <= 48


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ScoreQuantizer(3, 9, THRESHOLDS), "lanes must be a power of two from 1 to 64"),
        (lambda: ScoreQuantizer(4, 1, THRESHOLDS), "longest must be from 2 to 65536, got 1"),
        (lambda: ScoreQuantizer(4, 9, THRESHOLDS[1:]), "14 thresholds, ascending"),
        (lambda: IndexSum(4, 0), "longest must be from 1 to 65536, got 0"),
        (lambda: IndexSquares(1 << 15), "longest must be from 1 to 16384, got 32768"),
        (lambda: IndexMap(4, 5), "value_bits must be from 6 to 16, got 5"),
    ],
)
def test_sizes(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()
