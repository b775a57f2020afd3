"""The FP16 counter arithmetic: facts worked out by hand, and float64 with a derived bound.

u = 2**-11 bounds the relative error of an FP16 operation, t = 2**-25 the absolute one of a result
that is subnormal. Sums of FP16 numbers are exact where they are subnormal.
"""

from dataclasses import replace

import numpy as np
import pytest

from golden.accuracy.error_split import exact_linear, rms
from golden.exact import counter_fp16, fp16
from golden.exact.counter_fp16 import fp16_linear, main_sums, pair_counts
from golden.exact.linear import QuantizedLinear, forward, reference
from golden.exact.spec import NumberSpec
from golden.exact.token_scale import Scale, ScaleFactor
from golden.models.layer_source import model_layer
from golden.quantise.quantize import quantize_linear

U, T = 2.0**-11, 2.0**-25
INFINITY, NAN = 0x7C00, 0x7E00


def bits(*values: float) -> fp16.BitArray:
    return fp16.to_bits(np.array(values))


def value(patterns: fp16.BitArray) -> np.ndarray:
    return patterns.view(np.float16).astype(np.float64)


def table(**entries: float) -> fp16.BitArray:
    """Return a product table with entries ``p<bin>`` and zeros."""
    flat = np.zeros(256)
    for name, entry in entries.items():
        flat[int(name[1:])] = entry
    return fp16.to_bits(flat).reshape(16, 16)


def counts(**found: int) -> np.ndarray:
    flat = np.zeros(256, np.int64)
    for name, count in found.items():
        flat[int(name[1:])] = count
    return flat


def test_pairs_are_counted_by_concatenated_codes() -> None:
    w_code = np.array([[1, 15], [2, 0], [1, 15]], np.uint8)
    got = pair_counts(np.array([3, 3, 3]), w_code)
    assert got.shape == (2, 256)
    assert {int(n): int(got[0, n]) for n in got[0].nonzero()[0]} == {3 * 16 + 1: 2, 3 * 16 + 2: 1}
    assert {int(n): int(got[1, n]) for n in got[1].nonzero()[0]} == {3 * 16 + 15: 2, 3 * 16: 1}


@pytest.mark.parametrize(
    ("found", "entries", "expected"),
    [
        ({}, {}, 0x0000),
        ({"p5": 3}, {"p5": 1.5}, fp16.to_bits(np.array([4.5]))[0]),
        ({"p5": 3, "p200": 2}, {"p5": 1.5, "p200": -2.0}, fp16.to_bits(np.array([0.5]))[0]),
        # 2049 is a tie between 2048 and 2050 before it is multiplied: 2048 * 0.5, not 1024.5.
        ({"p0": 2049}, {"p0": 0.5}, fp16.to_bits(np.array([1024.0]))[0]),
        ({"p0": 2051}, {"p0": 0.5}, fp16.to_bits(np.array([1026.0]))[0]),
        # Neighbours first: 2048 + 1 is 2048 twice, so the two ones are lost ...
        ({f"p{n}": 1 for n in range(4)}, {"p0": 2048, "p1": 1, "p2": 1, "p3": 2048}, 0x6C00),
        # ... and if they are neighbours they are not: 2 + 4096 is not a tie.
        ({f"p{n}": 1 for n in range(4)}, {"p0": 2048, "p1": 2052, "p2": 1, "p3": 1}, 0x6C02),
        ({"p9": 16384}, {"p9": 100.0}, INFINITY),
        ({"p9": 16384, "p8": 16384}, {"p9": 100.0, "p8": -100.0}, NAN),
    ],
)
def test_main_sums_by_hand(found: dict, entries: dict, expected: int) -> None:
    assert main_sums(counts(**found), table(**entries)) == expected


def test_outlier_branch_by_hand() -> None:
    live = np.array([[True, True, False]])
    got = counter_fp16.error_units(bits(3, 1, 3), bits(0.5)[None], bits(2, -2, 2), live)
    np.testing.assert_array_equal(got, bits(2, 2, 0)[None])
    # (1 + 2**-10) * (1 - 2**-11) alone would be rounded to 1, and nothing would be left.
    scale, centroid = bits(1 + 2**-10), bits(1 - 2**-11)
    got = counter_fp16.error_units(bits(1), scale, centroid, np.array([True]))
    np.testing.assert_array_equal(got, bits(2**-21 - 2**-11))
    weights = counter_fp16.dequantised(bits(1.5, -0.25)[None, :, None], bits(2, 4))
    np.testing.assert_array_equal(weights, bits(3, 6, -0.5, -1).reshape(1, 2, 2))
    total = counter_fp16.compensation(bits(2, 1)[None], weights)
    np.testing.assert_array_equal(total, bits(5.5, 11)[None])


def test_compensation_rounds_once_an_outlier_in_order() -> None:
    weights = bits(2048, 1, 1).reshape(1, 3, 1)
    ones = bits(1, 1, 1)[None]
    assert counter_fp16.compensation(ones, weights).item() == bits(2048)[0]
    assert counter_fp16.compensation(ones, weights[:, ::-1]).item() == bits(2050)[0]
    # 1 * 2048 + 1.25 * 1.25 is above the tie: fused, the product is not rounded before.
    fused = counter_fp16.compensation(bits(1, 1 + 2**-10)[None], bits(2048, 1).reshape(1, 2, 1))
    assert fused.item() == bits(2050)[0]


def test_combination_rounds_each_step() -> None:
    (got,) = counter_fp16.combine(bits(3), bits(0.5), bits(4), bits(-1), bits(0.25))
    assert got == bits(5.25)[0]
    # The token's scale comes first: 2**-14 * 2**-14 would be zero, 2**14 * 2**-14 is 1.
    small = bits(2.0**-14)
    (got,) = counter_fp16.combine(bits(2.0**14), small, small, bits(0), bits(0))
    assert got == small[0]
    # Compensation before bias: (2048 + 1) - 2048.
    (got,) = counter_fp16.combine(bits(2048), bits(1), bits(1), bits(1), bits(-2048))
    assert got == 0


def random_counts(rng: np.random.Generator, inputs: int, channels: int) -> np.ndarray:
    return rng.multinomial(inputs, rng.dirichlet(np.full(256, 0.3)), size=channels)


@pytest.mark.parametrize("inputs", [1, 100, 2047, 16384])
def test_main_sums_stay_within_their_bound(inputs: int) -> None:
    rng = np.random.default_rng(inputs)
    found = random_counts(rng, inputs, 200)
    entries = fp16.to_bits(rng.standard_normal((16, 16)) * np.exp2(rng.integers(-20, 1)))
    terms = found * value(entries).ravel()
    # Count, product and eight additions: 10 relative errors a term at most.
    bound = ((1 + U) ** 10 - 1) * np.abs(terms).sum(axis=-1) + 256 * T * (1 + U) ** 8
    error = np.abs(value(main_sums(found, entries)) - terms.sum(axis=-1))
    assert (error <= bound).all()
    if inputs > 1000:
        assert error.max() > bound.max() / 1000, "a bound that nothing comes near shows nothing"


def small_layer(rng: np.random.Generator, *, symmetric: bool, k_top: int) -> QuantizedLinear:
    def codebook(limit: int, size: int) -> np.ndarray:
        if symmetric:
            positive = np.sort(rng.integers(1, limit, size // 2))
            return np.concatenate([-positive[::-1], positive])
        return np.sort(rng.integers(-limit, limit, size))

    return QuantizedLinear(
        spec=NumberSpec(symmetric=symmetric, magnitude_bits=8),
        a_centroids=codebook(3000, 8),
        w_centroids=codebook(5000, 16),
        product_table=np.zeros((8, 16), np.int64),
        w_index=rng.integers(0, 16, (120, 40)).astype(np.uint8),
        w_scale=Scale(rng.integers(1024, 2048, 40), rng.integers(-22, -18, 40)),
        bias=fp16.to_bits(rng.standard_normal(40)),
        k_top=k_top,
        factor=ScaleFactor.mean(120),
    )


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("k_top", [0, 3])
def test_forward_stays_within_its_bound(symmetric: bool, k_top: int) -> None:
    rng = np.random.default_rng(5 + k_top)
    layer = small_layer(rng, symmetric=symmetric, k_top=k_top)
    x = fp16.to_bits(rng.standard_normal((6, 120)) * np.where(rng.random((6, 120)) < 0.03, 20, 1))
    integers = forward(layer, x)
    got = counter_fp16.forward(layer, x, integers)
    exact = reference(layer, x, integers)
    # Sizes of what is added: main terms, and both parts of each outlier's error.
    scale = integers.a_scale.value()[:, None]
    weight = np.abs(layer.w_codebook()[layer.w_index]) * layer.w_scale.value()
    size = scale * np.abs(layer.a_codebook())[integers.a_index] @ weight
    beyond = np.zeros(x.shape)
    parts = np.abs(value(x)) + scale * np.abs(layer.a_codebook())[integers.a_index]
    np.put_along_axis(
        beyond,
        integers.outlier_index,
        np.take_along_axis(parts, integers.outlier_index, axis=1),
        axis=1,
    )
    # Relative errors: of the constants one each, three in a product; then as many as operations.
    main = ((1 + U) ** (3 + 10 + 4) - 1) * size
    outlier = ((1 + U) ** (2 + 2 + 2 * k_top + 3) - 1) * (beyond @ weight)
    last = 3 * U * (np.abs(exact) + np.abs(value(layer.bias)) + main + outlier)
    error = np.abs(value(got.y) - exact)
    assert (error <= main + outlier + last).all()
    assert error.max() > (main + outlier + last).max() / 1000
    assert not got.overflow.any()


def test_codes_that_stand_for_no_centroid_are_zero() -> None:
    layer = small_layer(np.random.default_rng(1), symmetric=True, k_top=0)
    model = fp16_linear(layer)
    used = [0, 1, 2, 3, 8, 9, 10, 11]
    assert not np.delete(model.a_codebook, used).any()
    np.testing.assert_array_equal(
        value(model.a_codebook)[used[:4]], layer.a_centroids[4:].astype(np.float16) / 1024
    )
    np.testing.assert_array_equal(model.a_codebook[8:12], model.a_codebook[:4] | 0x8000)
    assert 1 <= np.abs(value(model.w_codebook)).max() < 2


def test_bias_does_not_make_good_the_integer_table() -> None:
    layer = small_layer(np.random.default_rng(2), symmetric=False, k_top=0)
    moved = replace(layer, offset=np.full(layer.outputs, 0.5))
    np.testing.assert_array_equal(fp16_linear(layer).bias, layer.bias)
    np.testing.assert_array_equal(
        fp16_linear(moved).bias, fp16.to_bits(layer.bias.view(np.float16) - np.float64(0.5))
    )


@pytest.mark.parametrize(("activation_bits", "symmetric"), [(4, False), (3, True)])
def test_fp16_form_of_a_real_layer(
    activation_bits: int, symmetric: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints both forms' errors; the FP16 table's eleven bits beat eight and nine of integers."""
    source = model_layer("encoder.layer.3.attention.self.query", 16)
    layer = quantize_linear(
        source.weight,
        source.bias,
        source.calibration,
        activation_bits=activation_bits,
        symmetric=symmetric,
    )
    integers = forward(layer, source.x)
    got = counter_fp16.forward(layer, source.x, integers)
    exact = reference(layer, source.x, integers)
    quantisation = rms(exact - exact_linear(source.weight, source.bias, source.x))
    fp16_error, integer_error = (rms(value(y) - exact) for y in (got.y, integers.y))
    with capsys.disabled():
        print(
            f"\nA{activation_bits}, {'symmetric' if symmetric else 'plain'}: errors over the"
            f" output: quantisation {quantisation / rms(exact):.4f},"
            f" integer form {integer_error / rms(exact):.5f},"
            f" FP16 form {fp16_error / rms(exact):.5f}"
        )
    assert fp16_error < quantisation / 30
    assert fp16_error < integer_error
