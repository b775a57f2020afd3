"""Size of a linear engine: lanes, largest layer, and the layouts that its blocks share."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import signed, unsigned
from amaranth.lib import data
from amaranth.utils import ceil_log2, exact_log2

from golden.exact.spec import A_FRACTION_BITS, CENTROID_BITS, SCALE_BITS, NumberSpec, require_int
from hw.formats import KEY, LEVELS, require_power_of_two

SUM_BITS_LEAST = 16  # an output scaler keeps 15 of a magnitude
SUM_BITS = 32  # times two scales of 11 bits, so that float64 holds the product exactly
W_EXPONENT = signed(7)
CHANNEL = data.StructLayout({"bias": 16, "mantissa": SCALE_BITS, "exponent": W_EXPONENT})


@dataclass(frozen=True, kw_only=True)
class EngineSpec:
    """Parameters of a :class:`hw.linear.lookup.lookup_engine.LookupEngine`.

    Parameters
    ----------
    numbers : NumberSpec
        Form and widths of the rows.
    inputs_per_beat : int
        Input channels that one beat covers, k_t: a power of two, 2 to 64.
    output_lanes : int
        Output channels computed side by side, n_t: a power of two, 2 to 256.
    inputs_max, outputs_max : int
        Largest layer, K and N: multiples of ``inputs_per_beat`` and ``output_lanes``, up to 16384.
    outliers_max : int
        Largest k_top, outliers kept on each side of a token: 1 to 1024, at most ``inputs_max``.
    scale_lanes : int
        Outputs scaled and rounded per cycle: a power of two, up to ``output_lanes``. Tiles
        follow each other without a gap when a tile takes ``output_lanes / scale_lanes`` beats
        or more.
    token_factor : bool
        Whether each token brings a factor along that multiplies its outputs but for the bias.
    wide_channels : bool
        Whether a load word has the scales and biases of ``scale_lanes`` output channels.
    loads_ahead : bool
        Whether constants are loaded while tokens are under way, and hold from a strobe on.
    snaps : bool
        Whether activations on the grid can be snapped to levels, for rows of 5 and 4 bits.
    shows_outliers : bool
        Whether a token's outliers can be read outside, ahead of the requests for their weights.
    tokens_together : int
        Tokens that can meet a tile of weights one behind the other, before the next tile: 1, or a
        power of two from 4 to 64.
    """

    numbers: NumberSpec
    inputs_per_beat: int
    output_lanes: int
    inputs_max: int
    outputs_max: int
    outliers_max: int
    scale_lanes: int
    token_factor: bool = False
    wide_channels: bool = False
    loads_ahead: bool = False
    snaps: bool = False
    shows_outliers: bool = False
    tokens_together: int = 1

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
        if self.tokens_together != 1:
            if not self.numbers.made:
                raise ValueError("tokens that meet a tile together have rows that are made")
            require_power_of_two("tokens_together", self.tokens_together, low=4, high=64)
        if self.snaps and not self.numbers.made:
            raise ValueError("levels are steps of the grid: rows must be made")
        require_int("outliers_max", self.outliers_max, low=1, high=min(1024, self.inputs_max))
        if self.sum_bits > SUM_BITS:
            raise ValueError(
                f"sums of {self.inputs_max} inputs and {2 * self.outliers_max} outliers would take"
                f" {self.sum_bits} bits; at most {SUM_BITS} can be scaled exactly:"
                " lower inputs_max, outliers_max or the widths"
            )

    @property
    def together(self) -> range | None:
        """How many tokens meet a tile one behind the other, where that can be several."""
        return range(self.tokens_together + 1) if self.tokens_together > 1 else None

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
        bits = self.numbers.sum_bits(self.inputs_max, 2 * self.outliers_max)
        return max(bits, SUM_BITS_LEAST)

    @property
    def output_cycles(self) -> int:
        """Cycles that the output stage takes for a tile."""
        return self.output_lanes // self.scale_lanes + 1

    @property
    def tile_cycles(self) -> int:
        """Cycles from a tile's last beat to the next tile's, at least: it must have left the lanes.

        One of few beats waits for that, and for the scalers, which have the one before.
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
    def code_bits(self) -> int:
        """Bits of an activation's code."""
        return self.numbers.activation_bits

    @property
    def code_groups(self) -> int:
        """Groups of input lanes whose codes are snapped, and written, one after another."""
        return min(4, self.inputs_per_beat) if self.snaps else 1

    @property
    def level_codebook(self) -> data.StructLayout | None:
        """Levels that activations are snapped to, if they can be."""
        return LEVELS if self.snaps else None

    @property
    def entries(self) -> int:
        """Entries of a row: one per weight magnitude, or per weight centroid."""
        return 8 if self.numbers.symmetric else 16

    @property
    def levels(self) -> int:
        """Rows of the product table: one per activation magnitude, or per centroid."""
        return 1 << (self.code_bits - self.numbers.symmetric)

    @property
    def weight_codebook(self) -> data.ArrayLayout:
        """Centroids of the weights, magnitude and sign, or magnitudes of the positive half."""
        magnitude = unsigned(self.numbers.w_centroid_bits)
        if self.numbers.symmetric:
            return data.ArrayLayout(magnitude, self.entries)
        layout = data.StructLayout({"magnitude": magnitude, "negative": 1})
        return data.ArrayLayout(layout, self.entries)

    @property
    def weight_triples(self) -> data.ArrayLayout:
        """Three times the magnitude of each weight centroid."""
        return data.ArrayLayout(unsigned(self.numbers.w_centroid_bits + 2), self.entries)

    @property
    def activation_codebook(self) -> data.ArrayLayout | None:
        """Centroids of the activations; where rows are made there are none."""
        if self.numbers.made:
            return None
        bits = CENTROID_BITS - self.numbers.symmetric
        centroid = unsigned(bits) if self.numbers.symmetric else signed(bits)
        return data.ArrayLayout(centroid, self.levels)

    @cached_property
    def product_table(self) -> data.ArrayLayout | None:
        """Entries of a row, for each activation centroid; where rows are made there are none."""
        if self.numbers.made:
            return None
        return data.ArrayLayout(self.row.members["entries"], self.levels)

    @property
    def channels_at_once(self) -> int:
        """Output channels whose scales and biases one load word has."""
        return self.scale_lanes if self.wide_channels else 1

    @property
    def channel(self) -> data.StructLayout | data.ArrayLayout:
        """Scale and bias of an output channel, or of those of one load word."""
        return data.ArrayLayout(CHANNEL, self.scale_lanes) if self.wide_channels else CHANNEL

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
    def residual_digits(self) -> int:
        """Most digits of a residual row; a layer of fewer inputs may need fewer."""
        return self.numbers.residual_digits(self.inputs_max)

    @property
    def row_words(self) -> int:
        """Words of residual rows that a token has at most: ``residual_digits`` for a group."""
        return self.groups_max * self.residual_digits

    @property
    def residual_bits(self) -> int:
        """Bits of a residual row's entry, without sign."""
        return self.numbers.residual_max(self.inputs_max).bit_length()

    @property
    def ratio_bits(self) -> int:
        """Bits of an activation's magnitude in units of 2**-10 token scales."""
        return (self.numbers.ratio_max(self.inputs_max) - 1).bit_length() + A_FRACTION_BITS

    @cached_property
    def outlier_residual(self) -> data.StructLayout:
        """An activation less what its code stands for, which can be on the other side of zero."""
        return data.StructLayout(
            {"magnitude": self.ratio_bits + 1, "negative": 1, "position": self.position_bits}
        )

    @cached_property
    def beat(self) -> data.StructLayout:
        """What one beat of the lookup array covers.

        ``address``: main beat of the token, or group of outliers. ``mask``: input lanes in use.
        ``done``: behind it the next token's turn comes; ``keep``: this one's comes again, for the
        next tile; ``back``: that of the first of those that are kept comes next.
        """
        return data.StructLayout(
            {
                "tile": range(self.tiles_max),
                "compensation": 1,
                "address": range(max(self.beats_max, self.groups_max)),
                "digit": range(self.residual_digits),
                "mask": self.inputs_per_beat,
                "first": 1,
                "last": 1,
                "done": 1,
                **({"keep": 1, "back": 1} if self.together else {}),
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
                "last_centroid": self.code_bits,
                "digits": range(self.residual_digits + 1),
            }
        )
