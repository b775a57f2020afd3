"""FP16 arithmetic: the reference against others' arithmetic, and the units in a fast sweep."""

import gzip
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gateware.points import point
from golden.base.errors import InputError
from golden.exact import fp16_arithmetic as fp16
from golden.exact.fp16 import to_bits
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_from_integer import Fp16FromInteger
from hw.fp16.fp16_to_integer import Fp16ToInteger
from sim.harness.fp16_sweep import build, sweep
from sim.kit.fp16_operands import CORNERS, corner_triples, near, negated, patterns
from synth.area.measure_design import measure
from synth.libraries.liberty import Library

# Files f16_add.tv.gz and so on, of Berkeley TestFloat (testfloat_gen -rnear_even -tininessafter
# f16_add | gzip); NaN results are 7E00.
VECTORS = "KLLM_FP16_VECTORS"
ALL = np.arange(1 << 16).astype(np.uint16)
ONE, TWO, INFINITY, NAN, MINUS_ZERO = 0x3C00, 0x4000, 0x7C00, 0x7E00, 0x8000
LARGEST, SMALLEST = 0x7BFF, 0x0001


def vectors(name: str) -> np.ndarray:
    """Return the columns of a file of test vectors; skip the test where there is none."""
    folder = os.environ.get(VECTORS)
    if not folder:
        pytest.skip(f"{VECTORS} names no folder of TestFloat's vectors, {name}.tv.gz and so on")
    path = Path(folder, f"{name}.tv.gz")
    if not path.is_file():
        pytest.skip(f"no {path}")
    with gzip.open(path, "rt", encoding="ascii") as lines:
        return np.array([[int(word, 16) for word in line.split()] for line in lines]).T


def canonical(values: np.ndarray) -> np.ndarray:
    """Return NumPy's results as patterns, every NaN as 0x7e00."""
    return np.where(np.isnan(values), np.uint16(NAN), to_bits(values))


def words(*bits: int) -> tuple[np.ndarray, ...]:
    return tuple(np.array([word], np.uint16) for word in bits)


@pytest.mark.parametrize(
    ("operation", "numpy_operation"), [(fp16.add, np.add), (fp16.multiply, np.multiply)]
)
def test_reference_agrees_with_numpy(
    operation: Callable, numpy_operation: Callable, rng: np.random.Generator
) -> None:
    for bits in (*CORNERS, *patterns(rng, 10)):
        others = np.full_like(ALL, bits)
        with np.errstate(all="ignore"):
            expected = numpy_operation(others.view(np.float16), ALL.view(np.float16))
        np.testing.assert_array_equal(operation(others, ALL), canonical(expected))
        np.testing.assert_array_equal(operation(ALL, others), canonical(expected))


def value(bits: int) -> Fraction:
    return Fraction(float(np.uint16(bits).view(np.float16)))


def exact_fma(a: int, b: int, c: int) -> int:
    """Return FP16(a * b + c) of finite patterns, by rational arithmetic and bisection."""
    total = value(a) * value(b) + value(c)
    if total == 0:
        return (a ^ b) & c & 0x8000
    size, low, high = abs(total), 0, INFINITY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if value(middle) <= size else (low, middle)
    above = value(high) if high < INFINITY else Fraction(1 << 16)
    rest, gap = size - value(low), above - value(low)
    up = 2 * rest > gap or (2 * rest == gap and low & 1)
    return min(low + bool(up), INFINITY) | (0x8000 if total < 0 else 0)


def test_fused_reference_is_exact(rng: np.random.Generator) -> None:
    a, b, c = (patterns(rng, 1500) for _ in range(3))
    with np.errstate(all="ignore"):
        cancelling = near(rng, negated(fp16.multiply(a, b)))
    for third in (c, cancelling):
        finite = ((np.stack([a, b, third]) & 0x7C00) != 0x7C00).all(axis=0)
        got = fp16.fused_multiply_add(a, b, third)[finite]
        expected = [exact_fma(*map(int, case)) for case in np.stack([a, b, third]).T[finite]]
        assert len(expected) > 1000
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("a", "b", "c", "expected"),
    [
        (0x3C01, 0x3BFF, 0xBC00, 0x0FFE),  # (1 + 2**-10)(1 - 2**-11) - 1, all of it
        (0x3C01, 0x3C01, 0x1000, 0x3C03),  # 1 + 2**-9 + 2**-11 is a tie, but 2**-20 is above
        (0x0001, 0x3800, 0x0000, 0x0000),  # half the smallest: a tie, to even
        (0x0003, 0x3800, 0x0000, 0x0002),  # one and a half of it, likewise
        (0x0001, 0x3801, 0x0000, 0x0001),
        (0x7BFF, 0x3C00, 0x4C00, 0x7C00),  # 65504 + 16: a tie, to infinity
        (0x7BFF, 0x3C00, 0x4BFF, 0x7BFF),
        (0x7BFF, 0x7BFF, 0xFC00, 0xFC00),  # the product alone would be infinite
        (ONE, ONE, 0xBC00, 0x0000),
        (MINUS_ZERO, ONE, MINUS_ZERO, MINUS_ZERO),
        (MINUS_ZERO, ONE, 0x0000, 0x0000),
        (0x8001, SMALLEST, 0x0000, MINUS_ZERO),  # too small for anything but its sign
        (INFINITY, 0x0000, NAN, NAN),
        (INFINITY, ONE, 0xFC00, NAN),
        (INFINITY, 0xBC00, LARGEST, 0xFC00),
        (ONE, ONE, 0x7C01, NAN),
    ],
)
def test_fused_by_hand(a: int, b: int, c: int, expected: int) -> None:
    assert fp16.fused_multiply_add(*words(a, b, c)).item() == expected
    assert fp16.fused_multiply_add(*words(b, a, c)).item() == expected


def test_comparison_is_numpys() -> None:
    for bits in CORNERS:
        others = np.full_like(ALL, bits)
        x, y = ALL.view(np.float16), others.view(np.float16)
        less, equal, unordered = fp16.compare(ALL, others)
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(less, x < y)
            np.testing.assert_array_equal(equal, x == y)
        np.testing.assert_array_equal(unordered, np.isnan(x) | np.isnan(y))


def test_integers_are_numpys(rng: np.random.Generator) -> None:
    lengths = rng.integers(0, 53, 20000)
    values = rng.integers(-(1 << 53), 1 << 53, 20000) >> lengths
    values = np.concatenate([values, np.arange(-5000, 5000), [65519, 65520, -65520, 1 << 53]])
    np.testing.assert_array_equal(fp16.from_integer(values), to_bits(values.astype(np.float64)))


@pytest.mark.parametrize("width", [2, 8, 16, 17, 32])
def test_to_integer_rounds_and_saturates(width: int) -> None:
    limit = 1 << (width - 1)
    with np.errstate(invalid="ignore"):
        rounded = np.rint(ALL.view(np.float16).astype(np.float64))
    expected = np.where(np.isnan(rounded), 0, np.clip(rounded, -limit, limit - 1))
    np.testing.assert_array_equal(fp16.to_integer(ALL, width), expected)


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("f16_add", fp16.add),
        ("f16_mul", fp16.multiply),
        ("f16_mulAdd_300k", fp16.fused_multiply_add),
        ("f16_lt", lambda a, b: fp16.compare(a, b)[0]),
        ("f16_le", lambda a, b: fp16.compare(a, b)[0] | fp16.compare(a, b)[1]),
        ("f16_eq", lambda a, b: fp16.compare(a, b)[1]),
    ],
)
def test_reference_gives_testfloats_results(name: str, operation: Callable) -> None:
    *operands, expected, _ = vectors(name)
    got = operation(*(column.astype(np.uint16) for column in operands))
    assert len(got) > 40000
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("unit", "name"),
    [("fp16_add", "f16_add"), ("fp16_multiply", "f16_mul"), ("fp16_fma", "f16_mulAdd_300k")],
)
def test_unit_gives_testfloats_results(
    needs: Callable[[str], None], tmp_path: Path, unit: str, name: str
) -> None:
    columns = vectors(name)
    needs("verilator")
    lines = "\n".join(" ".join(f"{word:x}" for word in line) for line in columns.T)
    done = sweep(build(unit, tmp_path), "vectors", lines=lines)
    assert (done.tried, done.wrong) == (columns.shape[1], 0), done.text


@pytest.mark.parametrize("unit", ["fp16_fma", "fp16_fma_pipelined"])
def test_fast_sweep(needs: Callable[[str], None], tmp_path: Path, unit: str) -> None:
    needs("verilator")
    program = build(unit, tmp_path)
    for mode in (("corners",), ("random", 1_000_000, 7)):
        done = sweep(program, *mode)
        assert done.tried >= 1_000_000
        assert done.wrong == 0, done.text
    # 1 + 2 * 3 is 7: whoever expects 8 must hear of it, and of nothing else.
    lines = "\n".join(["4000 4200 3c00 4700 00", "4000 4200 3c00 4800 00", "3c00 0 0 0 00"])
    done = sweep(program, "vectors", lines=lines)
    assert (done.tried, done.wrong) == (3, 1)
    assert done.text == "a 4000 b 4200 c 3c00: got 4700, expected 4800"


@pytest.mark.parametrize(
    ("name", "most_ge", "most_fo4"),
    [
        ("fp16_fma", 1750, 200),
        ("fp16_multiply", 1130, 145),
        ("fp16_add", 680, 145),
        ("fp16_fma_pipelined", 2900, 45),
        ("fp16_multiply_pipelined", 1700, 45),
        ("fp16_add_pipelined", 1120, 45),
    ],
)
def test_units_are_small_and_stages_short(
    library: Library, name: str, most_ge: int, most_fo4: int
) -> None:
    """What others are compared with must not be fat: bounds a few percent above what was found."""
    area = measure(point(name), library)
    assert area.ge < most_ge
    assert area.delay_fo4 < most_fo4


def test_only_units_are_swept() -> None:
    with pytest.raises(InputError, match=r"no FP16 unit fp16_key: there are .*fp16_fma"):
        build("fp16_key")


def test_corner_triples_are_different_ones(rng: np.random.Generator) -> None:
    triples = np.stack(corner_triples(rng, 2000))
    assert len(np.unique(triples, axis=1).T) == 2000


def test_latency_is_that_of_the_form() -> None:
    assert (Fp16Fma().latency, Fp16Fma(pipelined=True).latency) == (0, Fp16Fma.STAGES)


@pytest.mark.parametrize(("unit", "most"), [(Fp16FromInteger, 54), (Fp16ToInteger, 32)])
def test_widths(unit: type, most: int) -> None:
    for width in (1, most + 1):
        with pytest.raises(ValueError, match=f"width must be from 2 to {most}, got {width}"):
            unit(width)
    with pytest.raises(TypeError, match="width must be an integer"):
        unit(8.0)
