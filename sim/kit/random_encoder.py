"""Made-up encoders: every number of one that a chip can run."""

import numpy as np

from golden.chip.encoder import Encoder, EncoderLayer, EncoderShape, Norm
from golden.exact import fp16
from sim.kit.random_decoder import random_cache, random_linear

# What a tiny chip runs: four lanes each way, heads of eight.
TINY = EncoderShape(vocabulary=32, hidden=16, layers=2, heads=2, inner=24, context=16)


def random_encoder(rng: np.random.Generator, shape: EncoderShape = TINY) -> Encoder:
    """Return an encoder with random weights; numbers stay of the size that models have."""
    hidden, inner = shape.hidden, shape.inner

    def norm() -> Norm:
        gain = rng.uniform(0.5, 1.5, hidden) * hidden**0.5
        return Norm(gain=fp16.to_bits(gain), shift=fp16.to_bits(0.3 * rng.normal(size=hidden)))

    layers = tuple(
        EncoderLayer(
            query=random_linear(rng, hidden, hidden, shape.head_width**-0.5),
            key=random_linear(rng, hidden, hidden, 1),
            value=random_linear(rng, hidden, hidden, 1),
            output=random_linear(rng, hidden, hidden, 1),
            up=random_linear(rng, hidden, inner, 1),
            down=random_linear(rng, inner, hidden, 1),
            attended=norm(),
            fed=norm(),
            keys=random_cache(rng, shape.head_width),
            values=random_cache(rng, shape.head_width),
        )
        for _ in range(shape.layers)
    )
    return Encoder(
        shape=shape,
        words=fp16.to_bits(rng.normal(size=(shape.vocabulary, hidden))),
        places=fp16.to_bits(rng.normal(size=(shape.context, hidden))),
        norm=norm(),
        layers=layers,
        score_outliers=1,
        mix_outliers=2,
    )
