"""The constants of a layer as the engines that compute in integers load them."""

from collections.abc import Iterator

import numpy as np

from gateware.engines.contract import Constant
from golden.exact.linear import QuantizedLinear
from golden.exact.mapping import sign_code, stored_centroids, stored_table
from hw.engine_spec import CHANNEL, EngineSpec
from hw.linear.shell.layer_constants import Select


def integer_constants(spec: EngineSpec, layer: QuantizedLinear) -> Iterator[Constant]:
    """Yield weight codebook, product table and output channels."""
    symmetric = spec.numbers.symmetric
    centroids = stored_centroids(layer.w_centroids, symmetric=symmetric)
    # All of them, for an engine may look for the largest.
    padded = np.pad(centroids, (0, spec.entries - len(centroids)))
    padded = sign_code(padded, spec.numbers.w_centroid_bits)
    yield from ((Select.W_CENTROID, n, value) for n, value in enumerate(padded))
    if not spec.numbers.made:
        table = stored_table(layer.product_table, symmetric=symmetric)
        yield from ((Select.TABLE, 16 * i + j, value) for (i, j), value in np.ndenumerate(table))
    at_once, bits = spec.channels_at_once, CHANNEL.size
    channels = zip(layer.bias, layer.w_scale.mantissa, layer.w_scale.exponent, strict=True)
    words = [int(b) | int(m) << 16 | (int(e) & 0x7F) << 27 for b, m, e in channels]
    for n in range(0, len(words), at_once):
        together = enumerate(words[n : n + at_once])
        yield Select.CHANNEL, n, sum(word << bits * place for place, word in together)
