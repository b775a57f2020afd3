"""Size of a baseline array: arithmetic, lanes, largest layer, and how long it takes."""

from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.spec import require_int
from hw.baseline.integer_accumulator import accumulator_cycles
from hw.formats import require_power_of_two
from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_multiply import Fp16Multiply

# A beat's way through a lane.
LANE_CYCLES = {"int4": 2, "int8": 3, "dequant": 3, "figlut": 3}
MULTIPLY_CYCLES = Fp16Multiply.STAGES
ADD_CYCLES = Fp16Add.STAGES  # so many tiles take turns, each in its own accumulator
FIGLUT_ACTIVATION_BITS = 12  # an FP16 significand and a sign
CODE = data.StructLayout({"magnitude": 3, "sign": 1})
MAGNITUDE_BITS = 7  # of a centroid
MAGNITUDES = data.ArrayLayout(MAGNITUDE_BITS, 8)
SHAPES = {
    "int4": (signed(4), signed(4)),
    "int8": (signed(8), signed(8)),
    "dequant": (CODE, CODE),
    "figlut": (signed(FIGLUT_ACTIVATION_BITS), signed(4)),
    "fp16": (unsigned(16), unsigned(16)),
}
# Largest magnitude of one product, in the units of the result.
LARGEST = {
    "int4": 8 * 8,
    "int8": 128 * 128,
    "dequant": 127 * 255,
    "figlut": 8 << (FIGLUT_ACTIVATION_BITS - 1),
}


@dataclass(frozen=True, kw_only=True)
class MacSpec:
    """Parameters of a :class:`hw.baseline.mac_array.MacArray`.

    Parameters
    ----------
    arithmetic : str
        ``int4``, ``int8``, ``dequant``, ``figlut`` or ``fp16``: a key of :data:`SHAPES`.
    inputs_per_beat : int
        Input channels that one beat covers, k_t: a power of two, 4 to 64.
    output_lanes : int
        Output channels computed side by side, n_t: a power of two, 1 to 256.
    inputs_max : int
        Largest number of input channels, a multiple of ``inputs_per_beat`` up to 16384.
    """

    arithmetic: str
    inputs_per_beat: int
    output_lanes: int
    inputs_max: int

    def __post_init__(self) -> None:
        if self.arithmetic not in SHAPES:
            raise ValueError(f"arithmetic must be one of {list(SHAPES)}, got {self.arithmetic!r}")
        require_power_of_two("inputs_per_beat", self.inputs_per_beat, low=4, high=64)
        require_power_of_two("output_lanes", self.output_lanes, low=1, high=256)
        require_int("inputs_max", self.inputs_max, low=self.inputs_per_beat, high=1 << 14)
        if self.inputs_max % self.inputs_per_beat:
            raise ValueError(
                f"inputs_max must be a multiple of {self.inputs_per_beat}, got {self.inputs_max}"
            )

    @property
    def floating(self) -> bool:
        """Whether numbers are FP16 patterns."""
        return self.arithmetic == "fp16"

    @property
    def activation(self) -> Any:
        """Shape of one activation."""
        return SHAPES[self.arithmetic][0]

    @property
    def weight(self) -> Any:
        """Shape of one weight."""
        return SHAPES[self.arithmetic][1]

    @property
    def result(self) -> Shape:
        """Shape of one output: FP16, or an integer that no layer within the limits overflows."""
        if self.floating:
            return unsigned(16)
        return signed((self.inputs_max * LARGEST[self.arithmetic]).bit_length() + 1)

    @property
    def beat(self) -> data.StructLayout:
        """One beat: ``weights[input lane][output lane]``; first and last one of its tile."""
        lanes = self.inputs_per_beat
        weights = data.ArrayLayout(data.ArrayLayout(self.weight, self.output_lanes), lanes)
        return data.StructLayout(
            {
                "activations": data.ArrayLayout(self.activation, lanes),
                "weights": weights,
                "first": 1,
                "last": 1,
            }
        )

    @property
    def tile(self) -> data.ArrayLayout:
        """One output of each lane."""
        return data.ArrayLayout(self.result, self.output_lanes)

    @property
    def interleave(self) -> int:
        """How many tiles take turns, beat by beat."""
        return ADD_CYCLES if self.floating else 1

    @property
    def lane_cycles(self) -> int:
        """Cycles from a beat to its sum."""
        if self.floating:  # a product, then the levels of a tree
            return MULTIPLY_CYCLES + ADD_CYCLES * exact_log2(self.inputs_per_beat)
        return LANE_CYCLES[self.arithmetic]

    @property
    def latency(self) -> int:
        """Cycles from a tile's last beat to the tile."""
        adding = ADD_CYCLES if self.floating else accumulator_cycles(self.result.width)
        return self.lane_cycles + adding + 1

    def cycles(self, inputs: int, outputs: int) -> int:
        """Return the cycles of a layer, from its first beat to its last tile, if nobody pauses.

        Parameters
        ----------
        inputs, outputs : int
            Input and output channels.
        """
        turns = self.interleave
        beats = turns * -(-inputs // self.inputs_per_beat)
        groups = -(-outputs // (self.output_lanes * turns))
        # A group of tiles can only end when those of the one before have left.
        apart = -(-max(beats, self.latency + 1) // turns) * turns
        return beats + (groups - 1) * apart + self.latency
