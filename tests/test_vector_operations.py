"""What vector units compute, by hand, and the sizes that they take."""

import numpy as np
import pytest

from gateware.points import point
from gateware.points.vector import NARROW, WIDE
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.fp16 import BitArray
from golden.exact.token_scale import ScaleFactor
from golden.exact.vector_operations import first_largest, gate, largest, powers, rotate
from hw.vector.vector_spec import VectorSpec
from hw.vector.vector_unit import VectorUnit
from synth.area.measure_design import measure
from synth.libraries.liberty import Library


def halves(*values: float) -> BitArray:
    return np.array(values, np.float16).view(np.uint16)


def test_products_of_a_turn_are_rounded_before_their_sum() -> None:
    # (1 + 2**-10)**2 is 1 + 2**-9 rounded, so that the difference of the products is zero.
    near = 1 + 2**-10
    found = rotate(halves(near, 1 + 2**-9), halves(near, 1)).view(np.float16)
    assert found.tolist() == [0, 2 + 2**-8]


def test_gate_halves_at_zero_and_passes_large_numbers() -> None:
    found = gate(halves(0, 16, -64, 2), halves(3, 0.5, 1, np.inf)).view(np.float16)
    assert found.tolist() == [0, 8, 0, np.inf]


def test_largest_takes_what_is_not_finite_for_zero() -> None:
    assert largest(halves(-1, np.nan, -2)) == 0
    assert largest(halves(-1, np.inf, 0.5)) == halves(0.5)
    assert largest(halves(-0.0, -3)) == 0
    assert largest(halves(-2, -3)) == halves(-2)
    assert first_largest(halves(-1, -np.inf, 0, -0.0)) == 1


def test_powers_count_units_of_the_smallest_number() -> None:
    found, total = powers(halves(2, -60000, np.nan), halves(2)[0], halves(3, 1, 1))
    assert found.view(np.float16)[:2].tolist() == [3, 0]
    # exp(-2), which is 0.1353, for what is not finite.
    assert total == pytest.approx(2**24 * (1 + np.exp(-2)), rel=2**-11)


def test_a_code_of_a_small_negative_number_keeps_its_sign() -> None:
    limits = np.array([8, 16, 24, 32, 40, 48, 56])
    form = CacheFormat(ScaleFactor.mean(4), limits, np.arange(8) * 60)
    codes, _ = cache_codes(halves(-0.25, 0.02, -0.02, 3.75)[None], form)
    # A step is a sixteenth of the mean, 1.01: 0.02 is none.
    assert codes.tolist() == [[8, 0, 0, 7]]


def test_scales_of_small_vectors_are_the_least_normal_number() -> None:
    form = CacheFormat(ScaleFactor.mean(2), np.arange(1, 8), np.arange(8))
    codes, scale = cache_codes(np.array([[0, 0], [1, 0x8001], [0x400, 0x400]], np.uint16), form)
    assert scale.view(np.float16).tolist() == [2.0**-14] * 3
    # 2**-24 is a sixty-fourth of a step; 2**-14 is sixteen steps.
    assert codes.tolist() == [[0, 0], [0, 0], [7, 7]]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"word_lanes": 3}, "word_lanes must be a power of two"),
        ({"lanes": 32}, "lanes must be from 1 to 16"),
        ({"words": 1}, "words must be from 2"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(changed: dict[str, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        VectorSpec(**{"word_lanes": 16, "lanes": 4, "words": 64} | changed)


@pytest.mark.parametrize("spec", [NARROW, WIDE])
def test_cycles_of_an_addition_by_hand(spec: VectorSpec) -> None:
    unit = VectorUnit(spec)
    # Each word takes five cycles, four of them for its numbers; the last one's first is enough.
    assert unit.cycles("ADD", spec.word_lanes + 1) - unit.cycles("ADD", 1) == 5
    assert unit.cycles("GATE", spec.word_lanes + 1) - unit.cycles("GATE", 1) == 10
    assert unit.skew == (1, 0)


@pytest.mark.parametrize(
    ("name", "most_ge"),
    [
        pytest.param("vector_unit_1", 12700, marks=pytest.mark.slow),
        pytest.param("vector_unit_4", 28700, marks=pytest.mark.slow),
        ("cache_quantizer_1", 5200),
        pytest.param("cache_quantizer_2", 7650, marks=pytest.mark.slow),
    ],
)
def test_units_are_small_and_stages_short(library: Library, name: str, most_ge: int) -> None:
    area = measure(point(name), library)
    assert area.ge < most_ge
    assert area.delay_fo4 < 45
