"""A quantised layer's constants as an FP16 counter engine's load stream carries them."""

from golden.base.errors import InputError
from golden.exact.counter_fp16 import fp16_linear
from golden.exact.linear import QuantizedLinear
from golden.exact.mapping import stored_centroids
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.linear.layer_constants import Select, Size
from sim.kit.engine_words import require_size

EXPONENT_BITS = 8  # of the token scale's factor, in its word


def fp16_load_words(spec: Fp16CounterSpec, layer: QuantizedLinear) -> list[dict]:
    """Return the words of ``load_i`` that put a layer's constants into an FP16 counter engine.

    Raises
    ------
    InputError
        If the engine is too small for the layer, or made for the other kind of codebooks.
    """
    require_size(spec, inputs=layer.inputs, outputs=layer.outputs, k_top=layer.k_top)
    symmetric = spec.numbers.symmetric
    if layer.spec.symmetric != symmetric:
        kinds = ("plain", "symmetric")
        raise InputError(
            f"the layer has {kinds[layer.spec.symmetric]} codebooks; this engine is made for"
            f" {kinds[symmetric]} ones"
        )
    model = fp16_linear(layer)
    centroids = stored_centroids(layer.a_centroids, symmetric=symmetric)
    exponent = layer.factor.exponent & ((1 << EXPONENT_BITS) - 1)
    sizes = (
        (Size.INPUTS, layer.inputs),
        (Size.OUTPUTS, layer.outputs),
        (Size.K_TOP, layer.k_top),
        (Size.LAST_CENTROID, len(centroids) - 1),
        (Size.FACTOR, layer.factor.mantissa | exponent << 16),
        (Size.CLEAR_FLAGS, 0),
    )
    words = [_word(Select.SIZE, size.value, value) for size, value in sizes]
    words += [_word(Select.A_CENTROID, n, int(value)) for n, value in enumerate(centroids)]
    words += [_word(Select.W_CENTROID, n, int(value)) for n, value in enumerate(model.w_codebook)]
    table = model.product_table.ravel()
    words += [_word(Select.TABLE, n, int(value)) for n, value in enumerate(table)]
    words += [
        _word(Select.CHANNEL, n, int(bias) | int(scale) << 16)
        for n, (bias, scale) in enumerate(zip(model.bias, model.w_scale, strict=True))
    ]
    return words


def _word(select: Select, address: int, value: int) -> dict:
    """Return a load word; ``value`` in two's complement."""
    return {"select": select.value, "address": address, "word": value & 0xFFFFFFFF}
