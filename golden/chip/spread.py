"""What keys and queries go through before they meet: a linear layer that spreads large numbers.

A few dimensions of a key are much larger than the others, and codes of 4 bits would have to reach
that far for all. Turned by a Hadamard matrix, a key is much like normal noise in every dimension.
A query is turned alike, so scores stay what they are. The matrix is a layer of the lookup engine
like any other: all its weights are plus or minus one centroid, and as that is a power of two, its
rows are exact.
"""

import numpy as np

from golden.chip.constants import SPEC, chip_layer
from golden.exact.linear import QuantizedLinear
from golden.exact.token_scale import ScaleFactor
from golden.quantise.methods.hadamard import hadamard
from golden.quantise.quantize import to_scale

CENTROID = 256  # the largest; the others are there because a codebook has eight
OUTLIERS = 2  # on each side, which the grid of the activations does not reach


def spread_layer(width: int) -> QuantizedLinear:
    """Return the layer that turns a head's vector by a Hadamard matrix.

    Parameters
    ----------
    width : int
        Of a head: what :func:`golden.quantise.methods.hadamard.hadamard` takes.
    """
    positive = np.arange(1, 9) * (CENTROID // 8)
    scale = width**-0.5 / (CENTROID / 2**SPEC.w_fraction_bits)
    return chip_layer(
        np.where(hadamard(width) > 0, 7, 15),
        np.concatenate([-positive[::-1], positive]),
        to_scale(np.full(width, scale)),
        np.zeros(width, np.uint16),
        k_top=OUTLIERS,
        factor=ScaleFactor.mean(width),
    )
