"""What vector units compute, by hand, and the sizes that they take."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateware.points import point
from gateware.points.vector import NARROW, WIDE
from golden.exact.cache_codes import CacheFormat, cache_codes, threshold_bounds
from golden.exact.fp16 import BitArray
from golden.exact.token_scale import Scale, ScaleFactor
from golden.exact.vector_operations import first_largest, gate, largest, powers, rotate
from hw.vector.vector_spec import VectorSpec
from hw.vector.vector_unit import VectorUnit
from synth.area.measure_design import measure
from synth.libraries.liberty import Library

ROOT = Path(__file__).resolve().parent.parent


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
    assert codes.tolist() == [[8, 0, 8, 7]]


def test_scales_of_small_vectors_are_the_least_normal_number() -> None:
    form = CacheFormat(ScaleFactor.mean(2), np.arange(1, 8), np.arange(8))
    codes, scale = cache_codes(np.array([[0, 0], [1, 0x8001], [0x400, 0x400]], np.uint16), form)
    assert scale.view(np.float16).tolist() == [2.0**-14] * 3
    # 2**-24 is a sixty-fourth of a step; 2**-14 is sixteen steps.
    assert codes.tolist() == [[0, 0], [0, 8], [7, 7]]


def test_bounds_by_hand() -> None:
    # Half a step less than the thresholds are 1, 3, 5, 7, 31, 63 and 253 half steps of 2**-5.
    thresholds = np.array([1, 2, 3, 4, 16, 32, 127])
    mantissa, exponent = np.array([1024, 1025, 1024, 1536]), np.array([-10, -10, -24, 5])
    found = threshold_bounds(thresholds, Scale(mantissa, exponent)).astype(np.uint16)
    real = found.view(np.float16).astype(float)
    assert real[0].tolist() == [n / 32 for n in (1, 3, 5, 7, 31, 63, 253)]
    # 3 * 1025 is 3075, of whose twelve bits eleven stay.
    assert real[1, :2].tolist() == [1025 / 1024 / 32, 3074 / 1024 / 32]
    # Subnormal ones end at 2**-24.
    assert real[2].tolist() == [n * 2.0**-19 for n in (1, 3, 5, 7, 31, 63, 253)]
    # 49152 / 32, 3 * 49152 / 32 and so on, up to what FP16 has not.
    assert real[3, :2].tolist() == [1536, 4608]
    assert found[3, -1] == 0x7C00


def test_a_number_that_is_a_bound_reaches_it() -> None:
    form = CacheFormat(ScaleFactor.mean(4), np.array([8, 16, 17, 40, 41, 42, 43]), np.arange(8))
    bound = 15 / 32  # half a step less than 8, of a mean of 1
    below = np.nextafter(np.float16(bound), np.float16(0))
    codes, scale = cache_codes(halves(bound, -below, 1, 4 - 1 - bound - float(below))[None], form)
    assert scale.view(np.float16).tolist() == [1]
    assert codes[0, :2].tolist() == [1, 8]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"word_lanes": 3}, "word_lanes must be a power of two"),
        ({"lanes": 32}, "lanes must be from 1 to 16"),
        ({"words": 1}, "words must be from 2"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        VectorSpec(**dict[str, Any](word_lanes=16, lanes=4, words=64) | changed)


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
        ("cache_quantizer_1", 5000),
        pytest.param("cache_quantizer_2", 6000, marks=pytest.mark.slow),
    ],
)
def test_units_are_small_and_stages_short(library: Library, name: str, most_ge: int) -> None:
    area = measure(point(name), library)
    assert area.ge < most_ge
    assert area.delay_fo4 < 45


@pytest.mark.parametrize("name", ["cache_quantizer_4", "cache_quantizer_8"])
def test_cache_quantisers_take_3_percent_of_an_engine_of_16_x_64(
    library: Library, name: str
) -> None:
    kept = json.loads((ROOT / "docs" / "engines.json").read_text(encoding="utf-8"))
    (engine,) = (row for row in kept if row["design"] == "minilm_symmetric")
    area = measure(point(name), library)
    assert area.ge < 0.03 * engine["ge"]
    assert area.delay_fo4 < 45
