"""A layer's quantisation, out of the cache where the same was quantised before."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from gateware.sources import ROOT, files_digest, reached
from golden.base.cache import default_cache, digest
from golden.exact.linear import QuantizedLinear
from golden.models.layer_source import LayerSource
from golden.quantise.quantize import quantize_linear
from sim.run.layer_file import load_layer, save_layer

FILE = "sim/run/layer_file.py"  # what is kept is written as there


def quantised(source: LayerSource, options: Mapping[str, Any]) -> QuantizedLinear:
    """Return what :func:`golden.quantise.quantize.quantize_linear` makes of a layer."""
    arrays = (source.weight, source.bias, source.calibration)
    code = files_digest([*reached({"golden.quantise.quantize"}), ROOT / FILE])
    said = repr((sorted(options.items()), [(one.shape, one.dtype) for one in arrays]))
    key = digest(code, np.__version__, said, *(one.tobytes() for one in arrays))
    return default_cache().made(
        "layers", key, lambda: quantize_linear(*arrays, **options), _read, _record
    )


def _read(content: bytes) -> QuantizedLinear:
    return load_layer(io.BytesIO(content))[0]


def _record(layer: QuantizedLinear) -> bytes:
    file = io.BytesIO()
    save_layer(file, layer, np.zeros((0, layer.inputs), np.uint16))
    return file.getvalue()
