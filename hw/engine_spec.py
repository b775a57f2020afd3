"""Size of a linear engine: lanes, largest layer, and the layouts that its blocks share."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import signed, unsigned
from amaranth.lib import data
from amaranth.utils import ceil_log2, exact_log2

from golden.exact.spec import SCALE_BITS, NumberSpec, require_int
from hw.formats import INDEX_BITS, KEY, require_power_of_two

SUM_BITS = 32  # times two scales of 11 bits, so that float64 holds the product exactly
W_EXPONENT = signed(7)
CHANNEL = data.StructLayout({"bias": 16, "mantissa": SCALE_BITS, "exponent": W_EXPONENT})


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """Parameters of a :class:`hw.linear.lookup.lookup_engine.LookupEngine`.

    Parameters
    ----------
    numbers : NumberSpec
        Widths of table and rows.
    inputs_per_beat : int
        Input channels that one beat covers, k_t: a power of two, 2 to 64.
    output_lanes : int
        Output channels computed side by side, n_t: a power of two, 2 to 256.
    inputs_max, outputs_max : int
        Largest layer, K and N: multiples of the lanes, up to 16384.
    outliers_max : int
        Largest k_top, outliers kept on each side of a token: 1 to 256.
    scale_lanes : int
        Outputs scaled and rounded per cycle: a power of two, up to ``output_lanes``. Tiles
        follow each other without a gap when a tile takes ``output_lanes / scale_lanes`` beats
        or more.
    """

    numbers: NumberSpec
    inputs_per_beat: int
    output_lanes: int
    inputs_max: int
    outputs_max: int
    outliers_max: int
    scale_lanes: int

    def __post_init__(self) -> None:
        if not isinstance(self.numbers, NumberSpec):
            raise TypeError(f"numbers must be a NumberSpec, got {self.numbers!r}")
        require_power_of_two("inputs_per_beat", self.inputs_per_beat, low=2, high=64)
        require_power_of_two("output_lanes", self.output_lanes, low=2, high=256)
        require_power_of_two("scale_lanes", self.scale_lanes, low=1, high=self.output_lanes)
        for name, lanes in (("inputs", self.inputs_per_beat), ("outputs", self.output_lanes)):
            value = getattr(self, f"{name}_max")
            require_int(f"{name}_max", value, low=lanes, high=1 << 14)
            if value % lanes:
                raise ValueError(f"{name}_max must be a multiple of {lanes}, got {value}")
        require_int("outliers_max", self.outliers_max, low=1, high=min(256, self.inputs_max))
        if self.sum_bits > SUM_BITS:
            raise ValueError(
                f"sums of {self.inputs_max} inputs and {2 * self.outliers_max} outliers would take"
                f" {self.sum_bits} bits; at most {SUM_BITS} can be scaled exactly:"
                " lower inputs_max, outliers_max or the widths"
            )

    @property
    def total_bits(self) -> int:
        """Bits of the sum of a token's absolute values, in units of 2**-24."""
        return 40 + ceil_log2(self.inputs_max)

    @property
    def position_bits(self) -> int:
        """Bits of an input channel's number."""
        return ceil_log2(self.inputs_max)

    @property
    def beats_max(self) -> int:
        """Most beats that cover a token once."""
        return self.inputs_max // self.inputs_per_beat

    @property
    def groups_max(self) -> int:
        """Most groups of ``inputs_per_beat`` outliers."""
        return -(-2 * self.outliers_max // self.inputs_per_beat)

    @property
    def tiles_max(self) -> int:
        """Most tiles of ``output_lanes`` output channels."""
        return self.outputs_max // self.output_lanes

    @property
    def sum_bits(self) -> int:
        """Bits of an accumulator: no layer within the limits overflows it."""
        return self.numbers.sum_bits(self.inputs_max, 2 * self.outliers_max)

    @property
    def output_cycles(self) -> int:
        """Cycles that the output stage takes for a tile."""
        return self.output_lanes // self.scale_lanes + 1

    @property
    def tile_cycles(self) -> int:
        """Cycles from a tile's last beat to the next tile's, at least: one of few beats waits.

        The lanes hold no finished tile: it must have left them, and the scalers the one before.
        """
        return self.output_cycles + 3

    @property
    def carry_place(self) -> int:
        """Bits of an accumulator's lower half, whose carry is added a beat later."""
        return self.sum_bits // 2

    @cached_property
    def lane_sum(self) -> data.StructLayout:
        """An accumulator: ``sum``, signed, and a carry to be added at ``carry_place``."""
        return data.StructLayout({"sum": signed(self.sum_bits), "carry": 1})

    @property
    def tree_bits(self) -> int:
        """Bits of the sum over one beat."""
        return self.numbers.magnitude_bits + 1 + exact_log2(self.inputs_per_beat)

    @property
    def entries(self) -> int:
        """Entries of a row: one per weight magnitude, or per weight centroid."""
        return 8 if self.numbers.symmetric else 16

    @property
    def centroid_bits(self) -> int:
        """Bits of a loaded centroid: a magnitude, or two's complement."""
        return 15 if self.numbers.symmetric else 16

    @cached_property
    def codebook(self) -> data.ArrayLayout:
        """Centroids: all of them, or the magnitudes of the positive half."""
        centroid = (unsigned if self.numbers.symmetric else signed)(self.centroid_bits)
        return data.ArrayLayout(centroid, self.entries)

    @property
    def weight_codebook(self) -> data.ArrayLayout:
        """Centroids of the weights."""
        return self.codebook

    @cached_property
    def product_table(self) -> data.ArrayLayout:
        """Entries of a row, for each activation centroid."""
        return data.ArrayLayout(self.row.members["entries"], self.entries)

    @property
    def channel(self) -> data.StructLayout:
        """Scale and bias of an output channel."""
        return CHANNEL

    @cached_property
    def row(self) -> data.StructLayout:
        """One activation's products with every weight centroid.

        Symmetric: one sign for the row, magnitudes for the entries. Plain: signed entries.
        """
        bits = self.numbers.magnitude_bits
        if self.numbers.symmetric:
            entries = data.ArrayLayout(unsigned(bits), 8)
            return data.StructLayout({"sign": 1, "entries": entries})
        return data.StructLayout({"entries": data.ArrayLayout(signed(bits + 1), 16)})

    @property
    def residual_bits(self) -> int:
        """Bits of a residual row's entry, without sign."""
        return self.numbers.magnitude_bits * self.numbers.residual_digits

    @cached_property
    def beat(self) -> data.StructLayout:
        """What one beat of the lookup array covers.

        ``address``: main beat of the token, or group of outliers. ``mask``: input lanes in use.
        """
        return data.StructLayout(
            {
                "tile": range(self.tiles_max),
                "compensation": 1,
                "address": range(max(self.beats_max, self.groups_max)),
                "digit": range(self.numbers.residual_digits),
                "mask": self.inputs_per_beat,
                "first": 1,
                "last": 1,
                "token_last": 1,
            }
        )

    @cached_property
    def outlier(self) -> data.StructLayout:
        """One outlier; ``repeated`` if its position came before on the other side."""
        return data.StructLayout({"key": KEY, "position": self.position_bits, "repeated": 1})

    @cached_property
    def shape(self) -> data.StructLayout:
        """Size of the layer that is loaded."""
        return data.StructLayout(
            {
                "inputs": range(self.inputs_max + 1),
                "outputs": range(self.outputs_max + 1),
                "k_top": range(self.outliers_max + 1),
                "last_centroid": INDEX_BITS,
            }
        )
