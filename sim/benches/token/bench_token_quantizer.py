"""cocotb bench for TokenQuantizer and the counter engines' quantisers: what they make of tokens."""

from dataclasses import replace

import cocotb
import numpy as np
from amaranth.lib import data

from golden.exact.counter_fp16 import error_units
from golden.exact.fp16 import key, to_bits
from golden.exact.linear import QuantizedLinear, activation_index, outlier_rows
from golden.exact.mapping import index_code, stored_centroids
from golden.exact.outliers import repeated, select_outliers
from golden.exact.residual import ratio
from golden.exact.spec import A_FRACTION_BITS
from golden.exact.token_scale import Scale, token_scale
from hw.formats import INDEX_BITS
from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter_fp16.fp16_quantizer import Fp16Quantizer
from sim.kit.buffers import ServedBuffer, read_token, release
from sim.kit.codebooks import row_values, scale_word, stored, weight_words
from sim.kit.corners import clean
from sim.kit.levels import any_levels, level_ports
from sim.kit.random_layer import random_layer, random_tokens
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined, outliers_of, shape_of, split
from sim.kit.traffic import every_traffic

TOKENS = 5
PORTS = ("codes", "rows", "positions")


class Work:
    """A random layer and tokens, and what the quantiser makes of them."""

    def __init__(self, bed: Testbed, k_top: int) -> None:
        spec = self.spec = bed.block.spec
        inputs = int(bed.rng.integers(max(k_top, 1), spec.inputs_max, endpoint=True))
        self.layer: QuantizedLinear = random_layer(
            bed.rng,
            spec.numbers,
            inputs=inputs,
            outputs=1,
            k_top=k_top,
            activation_bits=min(spec.code_bits, 5),
        )
        self.levels = any_levels(bed.rng, spec)
        self.layer = replace(self.layer, levels=self.levels)
        self.x = clean(random_tokens(bed.rng, TOKENS, inputs))
        self.scale: Scale = token_scale(self.x, self.layer.factor)
        keys = key(self.x)
        made = spec.numbers.made
        self.index = activation_index(
            self.x, self.scale, self.layer.a_centroids, made=made, levels=self.levels
        )
        self.positions = select_outliers(keys, k_top)
        rows = outlier_rows(self.layer, self.x, self.scale, self.index, self.positions)
        held = stored_centroids(np.arange(16), symmetric=spec.numbers.symmetric)
        self.rows = rows[:, :, held]
        self.outliers = [item for token in keys for item in outliers_of(token, k_top)]

    def begin(self, bed: Testbed) -> ServedBuffer:
        """Set up the layer and send everything in."""
        symmetric = self.spec.numbers.symmetric
        bed.set(shape=shape_of(self.layer), **level_ports(bed.rng, self.spec, self.levels))
        if "w_centroids" in bed.block.signature.members:
            held = stored(self.layer.w_centroids, symmetric=symmetric)
            bed.set(w_centroids=weight_words(self.spec, held))
        if not self.spec.numbers.made:
            bits = self.spec.code_bits
            bed.set(a_centroids=stored(self.layer.a_centroids, symmetric=symmetric, bits=bits))
        words = [[joined(beat, 16) for beat, _ in split(self.spec, token)] for token in self.x]
        bed.send("scale_i", [scale_word(self.scale, t) for t in range(TOKENS)])
        bed.send("outlier_i", self.outliers)
        return ServedBuffer(bed, "tokens", words)


@every_traffic
@cocotb.test(timeout_time=150, timeout_unit="us")
async def quantizes(dut, traffic: str) -> None:
    """Every token's codes, rows and positions are in its buffers when its scale comes out."""
    bed = await Testbed(dut).start()
    for k_top in (0, 1, 3, bed.block.spec.outliers_max):
        work = Work(bed, k_top)
        await bed.restart()
        work.begin(bed)
        await bed.disturb()
        await bed.restart(traffic)
        served = work.begin(bed)
        for token in range(TOKENS):
            await bed.until("codes__filled")
            if isinstance(bed.block, CounterQuantizer):
                await check_counted(bed, work, token)
            else:
                await check_token(bed, work, token)
            await release(bed, *PORTS)
        expected = [scale_word(work.scale, token) for token in range(TOKENS)]
        await bed.expect("scale_o", expected)
        assert served.released == TOKENS


async def check_token(bed: Testbed, work: Work, token: int) -> None:
    """Read all buffers and compare."""
    spec = work.spec
    lanes, stride = spec.inputs_per_beat, spec.residual_digits
    beats = range(-(-work.layer.inputs // lanes))
    codes = await read_token(bed, "codes", beats, data.ArrayLayout(spec.code_bits, lanes))
    expected = index_code(
        work.index[token],
        len(work.layer.a_centroids),
        symmetric=spec.numbers.symmetric,
        bits=spec.code_bits,
    )
    np.testing.assert_array_equal(np.ravel(codes)[: work.layer.inputs], expected)
    count = 2 * work.layer.k_top
    groups = -(-count // lanes)
    positions = await read_token(
        bed, "positions", range(groups), data.ArrayLayout(spec.position_bits, lanes)
    )
    np.testing.assert_array_equal(np.ravel(positions)[:count], work.positions[token])
    rows = await read_token(
        bed, "rows", range(groups * stride), data.ArrayLayout(spec.row.size, lanes)
    )
    for n in range(count):
        group, lane = divmod(n, lanes)
        digits = spec.numbers.residual_digits(work.layer.inputs)
        words = [rows[group * stride + digit][lane] for digit in range(digits)]
        np.testing.assert_array_equal(row_values(spec, words), work.rows[token, n])


async def check_counted(bed: Testbed, work: Work, token: int) -> None:
    """Read the buffers of a counter engine and compare."""
    spec, layer = bed.block.spec, work.layer
    beats = range(-(-layer.inputs // spec.pairs))
    codes = await read_token(bed, "codes", beats, data.ArrayLayout(INDEX_BITS, spec.pairs))
    expected = index_code(work.index[token], 16, symmetric=spec.numbers.symmetric)
    np.testing.assert_array_equal(np.ravel(codes)[: layer.inputs], expected)
    outliers = work.positions[token]
    positions = await read_token(bed, "positions", range(len(outliers)), spec.position_bits)
    np.testing.assert_array_equal(positions, outliers)
    got = await read_token(bed, "rows", range(len(outliers)), spec.residual)
    if isinstance(bed.block, Fp16Quantizer):
        np.testing.assert_array_equal([item["error"] for item in got], errors(work, token))
    else:
        values = [-item["magnitude"] if item["negative"] else item["magnitude"] for item in got]
        np.testing.assert_array_equal(values, residuals(work, token))


def residuals(work: Work, token: int) -> np.ndarray:
    """Return what a token's outliers are beyond their centroids, in token scales."""
    outliers = work.positions[token]
    scale = Scale(work.scale.mantissa[[token]], work.scale.exponent[[token]])
    quotient = ratio(work.x[token, outliers][None], scale)
    beyond = quotient[0] - work.layer.a_centroids[work.index[token, outliers]]
    return np.where(repeated(outliers[None])[0], 0, beyond)


def errors(work: Work, token: int) -> np.ndarray:
    """Return the same in FP16, in units of the activations."""
    outliers = work.positions[token]
    centroids = work.layer.a_centroids[work.index[token, outliers]]
    return error_units(
        work.x[token, outliers],
        to_bits(work.scale.value())[token],
        to_bits(np.ldexp(centroids.astype(np.float64), -A_FRACTION_BITS)),
        live=~repeated(outliers[None])[0],
    )


@cocotb.test(timeout_time=20, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Take as long for a token as is stated."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for k_top in (0, 1, spec.outliers_max):
        work = Work(bed, k_top)
        await bed.restart()
        work.begin(bed)
        await bed.until("codes__filled")
        taken, valid = bed.sources["scale_i"].taken_at[0], bed.sinks["scale_o"].valid_at[0]
        groups = spec.code_groups if work.levels else 1
        beats = -(-work.layer.inputs // spec.inputs_per_beat)
        coding = groups * beats + bed.block.coding.behind
        builder = bed.block.residuals
        outliers = builder.fill + 2 * k_top * builder.period if k_top else 0
        assert valid - taken == 1 + bed.block.preparation + max(coding, outliers)
