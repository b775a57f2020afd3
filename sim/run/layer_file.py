"""A quantised layer and its tokens in a file, on the way into the simulator's process."""

from io import BytesIO
from pathlib import Path

import numpy as np

from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.spec import NumberSpec
from golden.exact.token_scale import Scale, ScaleFactor


def save_layer(
    path: Path | BytesIO, layer: QuantizedLinear, x: BitArray, factor: Scale | None = None
) -> None:
    """Write a layer, tokens (T, K) and their factors (T,), if they have any, as ``.npz``."""
    spec = layer.spec
    factors = [] if factor is None else [factor.mantissa, factor.exponent]
    np.savez(
        path,
        spec=np.array([spec.symmetric, spec.magnitude_bits, spec.activation_bits]),
        a_centroids=layer.a_centroids,
        w_centroids=layer.w_centroids,
        product_table=layer.product_table,
        w_index=layer.w_index,
        w_scale=np.array([layer.w_scale.mantissa, layer.w_scale.exponent]),
        bias=layer.bias,
        k_top=np.array(layer.k_top),
        factor=np.array([layer.factor.mantissa, layer.factor.exponent]),
        offset=np.asarray(layer.offset),
        x=x,
        of_tokens=np.array(factors),
    )


def load_layer(path: Path | BytesIO) -> tuple[QuantizedLinear, BitArray, Scale | None]:
    """Return what :func:`save_layer` wrote."""
    with np.load(path, allow_pickle=False) as file:
        symmetric, magnitude_bits, activation_bits = file["spec"].tolist()
        layer = QuantizedLinear(
            spec=NumberSpec(
                symmetric=bool(symmetric),
                magnitude_bits=magnitude_bits,
                activation_bits=activation_bits,
            ),
            a_centroids=file["a_centroids"],
            w_centroids=file["w_centroids"],
            product_table=file["product_table"],
            w_index=file["w_index"],
            w_scale=Scale(*file["w_scale"]),
            bias=file["bias"],
            k_top=int(file["k_top"]),
            factor=ScaleFactor(*file["factor"].tolist()),
            offset=file["offset"],
        )
        factors = file["of_tokens"]
        return layer, file["x"], Scale(*factors) if len(factors) else None
