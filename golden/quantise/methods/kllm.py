"""The project's own layer, bit for bit as engines run it, with the interface of the baselines."""

from dataclasses import dataclass

import numpy as np

from golden.exact import fp16
from golden.exact.linear import QuantizedLinear, forward
from golden.quantise.methods.layer import Array
from golden.quantise.quantize import quantize_linear
from golden.quantise.recipes.table import DEFAULT

# So many tokens at a time, as each takes some hundred bytes per input and output channel.
BATCH = 1024


@dataclass(frozen=True)
class IntegerLayer:
    """A quantised layer that takes and gives real numbers, FP16 on either side.

    Parameters
    ----------
    layer : QuantizedLinear
        Its integers.
    """

    layer: QuantizedLinear

    def __call__(self, x: Array) -> Array:
        """Return the outputs (T, N) of the tokens (T, K)."""
        bits = fp16.to_bits(x)
        parts = [forward(self.layer, bits[at : at + BATCH]).y for at in range(0, len(x), BATCH)]
        return np.concatenate(parts).view(np.float16).astype(np.float32)


def prepare_kllm(
    weight: Array,
    bias: Array,
    calibration: Array,
    *,
    bits_w: int,
    bits_a: int,
    seed: int,
    symmetric: bool = True,
    outlier_share: float = 0.005,
    recipe: str = DEFAULT,
    on_grid: bool = False,
) -> IntegerLayer:
    """Return the layer quantised with K-Means, ``outlier_share`` kept exact on each side."""
    del seed  # nothing is random
    return IntegerLayer(
        quantize_linear(
            weight,
            bias,
            calibration,
            weight_bits=bits_w,
            activation_bits=bits_a,
            symmetric=symmetric,
            outlier_share=outlier_share,
            recipe=recipe,
            on_grid=on_grid,
        )
    )
