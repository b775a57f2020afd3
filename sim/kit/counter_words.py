"""The weights of a quantised layer as a counter engine's two streams carry them."""

import numpy as np
import numpy.typing as npt

from golden.exact.linear import QuantizedLinear
from golden.exact.mapping import index_code
from hw.linear.counter.counter_spec import CounterSpec


class ColumnMemory:
    """Weight codes as counters take them: input channels of an output channel are contiguous.

    Parameters
    ----------
    spec : CounterSpec
    layer : QuantizedLinear
    """

    def __init__(self, spec: CounterSpec, layer: QuantizedLinear) -> None:
        lines, pairs = spec.output_lanes, spec.pairs
        codes = weight_codes(spec, layer).T
        padding = ((0, -layer.outputs % lines), (0, -layer.inputs % pairs))
        codes = np.pad(codes, padding).reshape(-1, lines, -(-layer.inputs // pairs), pairs)
        self._beats = codes.transpose(0, 2, 1, 3)

    def answer(self, tile: int, address: int) -> int:
        """Return the word of ``tile_weight_i`` for a request; channels beyond read as zeros."""
        return packed(self._beats[tile, address].ravel())


class RowMemory:
    """Weight codes as compensation takes them: output channels of an input channel contiguous.

    Parameters
    ----------
    spec : CounterSpec
    layer : QuantizedLinear
    """

    def __init__(self, spec: CounterSpec, layer: QuantizedLinear) -> None:
        group = spec.group_channels
        codes = np.pad(weight_codes(spec, layer), ((0, 0), (0, -layer.outputs % group)))
        self._rows = codes.reshape(layer.inputs, -1, group)

    def answer(self, group: int, channel: int) -> int:
        """Return the word of ``row_weight_i`` for a request; channels beyond read as zeros."""
        return packed(self._rows[channel, group])


def weight_codes(spec: CounterSpec, layer: QuantizedLinear) -> npt.NDArray[np.uint8]:
    """Return the codes (K, N) of a layer's weights."""
    index = layer.w_index.astype(np.int64)
    codes = index_code(index, len(layer.w_centroids), symmetric=spec.numbers.symmetric)
    return codes.astype(np.uint8)


def packed(codes: npt.NDArray[np.uint8]) -> int:
    """Return 4-bit codes as a word, the first in the lowest bits."""
    even = np.pad(codes, (0, len(codes) % 2))
    return int.from_bytes((even[0::2] | even[1::2] << 4).tobytes(), "little")
