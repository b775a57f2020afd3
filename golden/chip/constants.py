"""What the engine holds of a linear layer, and how it stands in memory: load words."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from golden.chip.shape import ChipShape
from golden.exact.cache_codes import scale_of
from golden.exact.fp16 import BitArray, is_finite
from golden.exact.grid import GRID, made_rows
from golden.exact.levels import LEVELS_MAX, STEP_BITS, Form, Levels
from golden.exact.linear import QuantizedLinear
from golden.exact.spec import GRID_MAX, IntArray, NumberSpec, default_numbers
from golden.exact.token_scale import Scale, ScaleFactor

SPEC: NumberSpec = default_numbers(symmetric=True, activation_bits=8)


class LoadWord:
    """How a load word of the engine stands in memory: eight bytes.

    Bits 0 to 2 choose what is loaded, bits 8 to 23 are the address, bits 24 on the word; as in
    :class:`hw.linear.shell.layer_constants.LayerConstants`.
    """

    BYTES = 8
    SIZE, CENTROID, LEVEL = 0, 2, 5
    INPUTS, OUTPUTS, K_TOP, FACTOR, CLEAR_FLAGS, DIGITS = 0, 1, 2, 4, 5, 6

    @staticmethod
    def pack(select: int, address: int, word: int) -> bytes:
        """Return the eight bytes."""
        return (select | address << 8 | word << 24).to_bytes(LoadWord.BYTES, "little")

    @staticmethod
    def level(value: int, first: int) -> int:
        """Return the word of a level: its value, and the least magnitude that takes it above."""
        return value | first << STEP_BITS


@dataclass
class Constants:
    """What the engine holds of a layer, but for the weights."""

    sizes: dict[int, int] = field(default_factory=dict)
    centroids: dict[int, int] = field(default_factory=dict)
    scales: BitArray = field(default_factory=lambda: np.zeros(0, np.uint16))
    biases: BitArray = field(default_factory=lambda: np.zeros(0, np.uint16))
    places: int = 0
    levels: dict[int, int] = field(default_factory=dict)

    def take(self, select: int, address: int, word: int, shape: ChipShape) -> bool:
        """Take a load word; return whether it is one that the chip's engine takes."""
        known = {
            LoadWord.SIZE: (self.sizes, LoadWord.DIGITS),
            LoadWord.CENTROID: (self.centroids, 7),
            LoadWord.LEVEL: (self.levels, LEVELS_MAX - 1),
        }
        if select not in known or address > known[select][1]:
            return False
        known[select][0][address] = word
        ranges = {
            LoadWord.INPUTS: (1, shape.inputs_max),
            LoadWord.OUTPUTS: (1, shape.outputs_max),
            LoadWord.K_TOP: (0, shape.outliers_max),
        }
        if select != LoadWord.SIZE or address not in ranges:
            return True
        low, high = ranges[address]
        return low <= word <= high

    def channels(self, scales: BitArray, biases: BitArray, places: int) -> bool:
        """Take scales and biases of channels; return whether they are numbers for the engine.

        That is normal, positive scales, exponents that the engine has, and finite biases.
        """
        self.scales, self.biases, self.places = scales, biases, places
        field, exponents = scales >> 10, scale_of(scales, places).exponent
        good = (field > 0) & (field < 31) & (exponents >= -64) & (exponents < 64)
        return bool(good.all() and is_finite(biases).all())

    def size(self) -> tuple[int, int, int]:
        """Return inputs and outputs of the layer that is held, and channels that have scales."""
        inputs, outputs = (self.sizes.get(n, 0) for n in (LoadWord.INPUTS, LoadWord.OUTPUTS))
        return inputs, outputs, len(self.scales)

    def layer(self, codes: BitArray, form: Form = Form.A8) -> QuantizedLinear:
        """Return the layer with these weight codes (K, N), in a form."""
        outputs = codes.shape[1]
        half = np.array([self.centroids[n] for n in range(8)])
        centroids = np.concatenate([-half[::-1], half])
        word = self.sizes[LoadWord.FACTOR]
        exponent = word >> 16
        return chip_layer(
            codes,
            centroids,
            scale_of(self.scales[:outputs], self.places),
            self.biases[:outputs],
            k_top=self.sizes[LoadWord.K_TOP],
            factor=ScaleFactor(word & 0xFFFF, exponent - ((exponent & 128) << 1)),
            levels=self._levels(form),
        )

    def _levels(self, form: Form) -> Levels | None:
        """Return the levels of a form. One that was never loaded is 0, and begins there."""
        if not form.levels:
            return None
        words = np.array([self.levels.get(n, 0) for n in range(form.levels)])
        first, value = words >> STEP_BITS & GRID_MAX, words & GRID_MAX
        first[0] = 0  # whatever the word says
        return Levels(first, value)


def chip_layer(
    codes: npt.NDArray[np.integer],
    centroids: IntArray,
    scales: Scale,
    bias: BitArray,
    *,
    k_top: int,
    factor: ScaleFactor,
    levels: Levels | None = None,
) -> QuantizedLinear:
    """Return the linear layer of weight codes (K, N), or of cached ones, in the chip's numbers."""
    return QuantizedLinear(
        spec=SPEC,
        a_centroids=GRID,
        w_centroids=centroids,
        product_table=made_rows(centroids),
        w_index=np.where(codes < 8, codes + 8, 15 - codes).astype(np.uint8),
        w_scale=scales,
        bias=bias,
        k_top=k_top,
        factor=factor,
        levels=levels,
    )
