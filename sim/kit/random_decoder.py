"""Made-up decoders: every number of one that a chip can run."""

import itertools
from fractions import Fraction

import numpy as np

from golden.chip.constants import SPEC
from golden.chip.decoder import Decoder, DecoderLayer, DecoderShape
from golden.exact import fp16
from golden.exact.cache_codes import CacheFormat
from golden.exact.grid import GRID, made_rows
from golden.exact.levels import Form
from golden.exact.linear import QuantizedLinear
from golden.exact.token_scale import ScaleFactor
from golden.quantise.quantize import to_scale
from sim.kit.levels import random_levels

# What a tiny chip runs: four lanes each way, heads of eight.
TINY = DecoderShape(
    vocabulary=32, hidden=16, layers=2, heads=2, kv_heads=2, head_width=8, inner=24, context=16
)


def random_decoder(
    rng: np.random.Generator, shape: DecoderShape = TINY, *, forms: bool = False
) -> Decoder:
    """Return a decoder with random weights; numbers stay of the size that models have.

    With ``forms`` its linear layers have rows of 8, 5 and 4 bits in turn.
    """
    turn = itertools.cycle(Form if forms else (Form.A8,))

    def linear(inputs: int, outputs: int, times: float) -> QuantizedLinear:
        return random_linear(rng, inputs, outputs, times, next(turn))

    def form() -> CacheFormat:
        return random_cache(rng, shape.head_width)

    hidden, inner = shape.hidden, shape.inner
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    root = hidden**0.5
    layers = tuple(
        DecoderLayer(
            query=linear(hidden, queries, root * shape.head_width**-0.5),
            key=linear(hidden, keys, root),
            value=linear(hidden, keys, root),
            output=linear(queries, hidden, 1),
            gate=linear(hidden, inner, root),
            up=linear(hidden, inner, root),
            down=linear(inner, hidden, 1),
            key_offset=fp16.to_bits(0.2 * rng.normal(size=keys)),
            keys=form(),
            values=form(),
        )
        for _ in range(shape.layers)
    )
    return Decoder(
        shape=shape,
        embedding=fp16.to_bits(rng.normal(size=(shape.vocabulary, hidden))),
        layers=layers,
        head=tuple(linear(hidden, shape.vocabulary, times * root) for times in (1, 0.1)),
        score_outliers=1,
        mix_outliers=2,
    )


def random_linear(
    rng: np.random.Generator, inputs: int, outputs: int, times: float, form: Form = Form.A8
) -> QuantizedLinear:
    """Return a linear layer whose outputs are about ``times`` as large as its inputs."""
    positive = np.sort(rng.integers(20, 500, 8))
    centroids = np.concatenate([-positive[::-1], positive])
    # Row entries are about 2**8 at their largest.
    scale = times * rng.uniform(0.5, 2, outputs) / 16 / np.sqrt(inputs)
    return QuantizedLinear(
        spec=SPEC,
        a_centroids=GRID,
        w_centroids=centroids,
        product_table=made_rows(centroids),
        w_index=rng.integers(0, 16, (inputs, outputs)).astype(np.uint8),
        w_scale=to_scale(scale),
        bias=fp16.to_bits(0.1 * rng.normal(size=outputs)),
        k_top=int(rng.integers(0, 3)),
        factor=ScaleFactor.mean(inputs, Fraction(int(rng.integers(8, 32)), 16)),
        levels=random_levels(rng, form),
    )


def random_cache(rng: np.random.Generator, width: int) -> CacheFormat:
    """Return the format of a cache of heads of a width."""
    scale = Fraction(int(rng.integers(6, 16)), 16)
    limits = np.sort(rng.integers(1, 127, 7))
    return CacheFormat(ScaleFactor.mean(width, scale), limits, np.sort(rng.integers(1, 511, 8)))
