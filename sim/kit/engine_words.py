"""A quantised layer as an engine's streams carry it: load words, beats of activations, weights."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.exact.cycles import lookup_beats
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.exact.mapping import index_code, stored_centroids, stored_table
from golden.exact.spec import IntArray
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.engine_spec import CHANNEL, EngineSpec
from hw.linear.layer_constants import Select, Size


def require_size(spec: EngineSpec, *, inputs: int, outputs: int, k_top: int) -> None:
    """Raise InputError if a layer is too large for an engine."""
    for what, value, most in (
        ("inputs", inputs, spec.inputs_max),
        ("output channels", outputs, spec.outputs_max),
        ("outliers on each side", k_top, spec.outliers_max),
    ):
        if value > most:
            raise InputError(
                f"the layer has {value} {what}; this design takes at most {most}: choose a larger"
                " one (kllm verilog --list)"
            )


def load_words(spec: EngineSpec, layer: QuantizedLinear) -> list[dict]:
    """Return the words of ``load_i`` that put a layer's constants into an engine.

    Raises
    ------
    InputError
        If the engine is too small for the layer, or made for other widths.
    """
    require_size(spec, inputs=layer.inputs, outputs=layer.outputs, k_top=layer.k_top)
    if layer.spec != spec.numbers:
        raise InputError(f"the layer was quantised for {layer.spec}, the engine is {spec.numbers}")
    symmetric = spec.numbers.symmetric
    a_centroids = stored_centroids(layer.a_centroids, symmetric=symmetric)
    w_centroids = stored_centroids(layer.w_centroids, symmetric=symmetric)
    factor = layer.factor.mantissa | (layer.factor.exponent & 0xFF) << 16
    words = [
        _word(Select.SIZE, size.value, value)
        for size, value in (
            (Size.INPUTS, layer.inputs),
            (Size.OUTPUTS, layer.outputs),
            (Size.K_TOP, layer.k_top),
            (Size.LAST_CENTROID, len(a_centroids) - 1),
            (Size.FACTOR, factor),
            (Size.CLEAR_FLAGS, 0),
        )
    ]
    words += [_word(Select.A_CENTROID, n, value) for n, value in enumerate(a_centroids)]
    # All of them, for an engine may look for the largest.
    padded = np.pad(w_centroids, (0, spec.entries - len(w_centroids)))
    words += [_word(Select.W_CENTROID, n, value) for n, value in enumerate(padded)]
    table = stored_table(layer.product_table, symmetric=symmetric)
    words += [_word(Select.TABLE, 16 * i + j, value) for (i, j), value in np.ndenumerate(table)]
    channels = zip(layer.bias, layer.w_scale.mantissa, layer.w_scale.exponent, strict=True)
    words += [
        _word(Select.CHANNEL, n, int(bias) | int(mantissa) << 16 | (int(exponent) & 0x7F) << 27)
        for n, (bias, mantissa, exponent) in enumerate(channels)
    ]
    return words


def activation_beats(spec: EngineSpec, x: BitArray) -> Iterator[int]:
    """Yield the words of ``i`` for tokens (T, K), lane 0 lowest."""
    padded = np.pad(x, ((0, 0), (0, -x.shape[1] % spec.inputs_per_beat)))
    for beat in padded.reshape(-1, spec.inputs_per_beat):
        yield int.from_bytes(beat.astype("<u2").tobytes(), "little")


class WeightMemory:
    """Weight codes as an engine asks for them: an input channel of a tile is contiguous.

    Parameters
    ----------
    spec : EngineSpec
    layer : QuantizedLinear
    """

    def __init__(self, spec: EngineSpec, layer: QuantizedLinear) -> None:
        codes = index_code(
            layer.w_index.astype(np.int64), len(layer.w_centroids), symmetric=spec.numbers.symmetric
        ).astype(np.uint8)
        lanes = spec.output_lanes
        padded = np.pad(codes, ((0, 0), (0, -layer.outputs % lanes)))
        # Two codes a byte, the lower lane in the lower half: as the weight stream has them.
        packed = padded[:, 0::2] | padded[:, 1::2] << 4
        self._tiles = packed.reshape(layer.inputs, -1, lanes // 2)

    def answer(self, tile: int, channels: IntArray | list[int]) -> int:
        """Return the word of ``weight_i`` for a request.

        A channel beyond the layer stands for a lane that does not count; it reads as zeros.
        """
        wanted = np.asarray(channels)
        inside = wanted < len(self._tiles)
        rows = self._tiles[np.where(inside, wanted, 0), tile] * inside[:, None]
        return int.from_bytes(rows.astype(np.uint8).tobytes(), "little")


def output_beats(spec: EngineSpec, outputs: int) -> int:
    """Return how many beats of ``o`` a token has."""
    return -(-outputs // spec.scale_lanes)


def beats_per_token(spec: EngineSpec, layer: QuantizedLinear) -> int:
    """Return how many beats of weights a token takes: lookups, or counts; one a cycle."""
    if isinstance(spec, CounterSpec):
        return spec.tiles(layer.outputs) * -(-layer.inputs // spec.pairs)
    return lookup_beats(
        layer.inputs,
        layer.outputs,
        2 * layer.k_top,
        inputs_per_beat=spec.inputs_per_beat,
        output_lanes=spec.output_lanes,
        digits=spec.numbers.residual_digits,
    )


def collect_outputs(beats: list[list[int]], tokens: int, outputs: int) -> npt.NDArray[np.uint16]:
    """Return outputs (T, N) from the lanes of all beats of ``o``."""
    flat = np.array(beats, np.uint16).reshape(tokens, -1)
    return flat[:, :outputs].copy()


def _word(select: Select, address: int, value: int | np.int64) -> dict:
    """Return a load word; ``value`` in two's complement."""
    bits = CHANNEL.size
    return {"select": select.value, "address": address, "word": int(value) & ((1 << bits) - 1)}
