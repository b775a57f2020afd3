"""Size of a counter engine: lines, counters, tree, MACs, and the cycles that they take."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import signed
from amaranth.lib import data
from amaranth.utils import ceil_log2, exact_log2

from golden.exact.spec import require_int
from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS, require_power_of_two


@dataclass(frozen=True, kw_only=True)
class CounterSpec(EngineSpec):
    """Parameters of a :class:`hw.linear.counter.counter_engine.CounterEngine`.

    Those of :class:`hw.engine_spec.EngineSpec` say how a token comes in and how outputs go
    out: ``inputs_per_beat`` activations a beat, ``output_lanes`` lines, each of which counts for an
    output channel of its own.

    Parameters
    ----------
    counters : int
        Index counters of a line: a power of two, 1 to 64.
    counter_inputs : int
        Index pairs that one counter takes per cycle: a power of two, 2 to 64.
    tree_lanes : int
        Bins that a line multiplies with their products per cycle: a power of two, 2 to 128.
    compensation_macs : int
        Outlier multiply-accumulates per cycle and line: a power of two, 1 to 16.
    folded : bool
        Symmetric codebooks only: the two signs of a pair become one, so that 128 bins do for
        256 pairs.

    Notes
    -----
    At 16 lines of 32 counters of 16 inputs, 32 tree lanes and 8 MACs, the paper's size, a layer
    of 4096 x 4096 takes 256 tiles of 8 cycles, and 42 outliers 32 groups of 42 cycles beside it.
    """

    counters: int
    counter_inputs: int = 16
    tree_lanes: int = 32
    compensation_macs: int = 8
    folded: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.code_bits != INDEX_BITS:
            raise ValueError(f"activation_bits must be {INDEX_BITS}: counters count pairs of codes")
        if self.token_factor:
            raise ValueError("token_factor must be False: only lookup engines take factors")
        if self.loads_ahead:
            raise ValueError("loads_ahead must be False: only lookup engines load constants ahead")
        require_power_of_two("counters", self.counters, low=1, high=64)
        require_power_of_two("counter_inputs", self.counter_inputs, low=2, high=64)
        require_power_of_two("tree_lanes", self.tree_lanes, low=2, high=128)
        require_power_of_two("compensation_macs", self.compensation_macs, low=1, high=16)
        require_int("folded", int(self.folded), low=0, high=int(self.numbers.symmetric))
        if self.pairs % self.inputs_per_beat or self.inputs_max % self.pairs:
            raise ValueError(
                f"a line counts {self.pairs} pairs a cycle: that must be a multiple of"
                f" inputs_per_beat = {self.inputs_per_beat}, and divide inputs_max ="
                f" {self.inputs_max}"
            )
        if self.outputs_max % self.group_channels:
            raise ValueError(
                f"outputs_max must be a multiple of {self.group_channels}, the output channels"
                f" that the MACs work on, got {self.outputs_max}"
            )
        if self.output_cycles > self.steps:
            raise ValueError(
                f"a tile takes {self.steps} cycles to multiply and {self.output_cycles} to go"
                f" out: raise scale_lanes = {self.scale_lanes} or lower tree_lanes ="
                f" {self.tree_lanes}"
            )

    @property
    def pairs(self) -> int:
        """Index pairs that a line counts per cycle; also the input channels of a counting beat."""
        return self.counters * self.counter_inputs

    @property
    def row_bits(self) -> int:
        """Bits of an index pair's upper part, which comes from the activation alone."""
        return INDEX_BITS - 1 if self.folded else INDEX_BITS

    @property
    def bins(self) -> int:
        """Bins of a histogram."""
        return 1 << (self.row_bits + INDEX_BITS)

    @property
    def steps(self) -> int:
        """Cycles that the bins of one channel take to go through the tree."""
        return self.bins // self.tree_lanes

    @property
    def counting_beats_max(self) -> int:
        """Most beats that count a channel."""
        return self.inputs_max // self.pairs

    @property
    def count_bits(self) -> int:
        """Bits of a bin: all inputs of a layer may fall into one."""
        return self.inputs_max.bit_length()

    @property
    def entry_bits(self) -> int:
        """Bits of a product on its way to the tree: 2**magnitude_bits more than it is."""
        return self.numbers.magnitude_bits + 1

    @property
    def main_bits(self) -> int:
        """Bits of a channel's sum over all pairs, with sign."""
        return self.numbers.sum_bits(self.inputs_max, 0)

    @property
    def compensation_bits(self) -> int:
        """Bits of a channel's sum over all outliers, with sign."""
        most = self.numbers.compensation_max(self.inputs_max, 2 * self.outliers_max)
        return most.bit_length() + 1

    @property
    def tiles_together(self) -> int:
        """Tiles whose compensation comes to an end at the same time."""
        return self.compensation_macs

    @property
    def group_channels(self) -> int:
        """Output channels that are compensated side by side."""
        return self.output_lanes * self.compensation_macs

    @property
    def channel_groups_max(self) -> int:
        """Most groups of output channels."""
        return self.outputs_max // self.group_channels

    @property
    def part_bits(self) -> int:
        """Bits of one bin's count in one counter, in two parts that are to be added.

        The lower bits count all inputs but the last, the top bit is the last one's. Full adders
        alone add up such counts; as one number they would take half adders besides.
        """
        return exact_log2(self.counter_inputs) + 1

    @cached_property
    def tile(self) -> data.ArrayLayout:
        """A tile's sums over all pairs: one output channel of each line."""
        return data.ArrayLayout(signed(self.main_bits), self.output_lanes)

    @cached_property
    def compensation_tile(self) -> data.ArrayLayout:
        """The same channels' sums over all outliers."""
        return data.ArrayLayout(signed(self.compensation_bits), self.output_lanes)

    @cached_property
    def residual(self) -> data.StructLayout:
        """What an outlier is multiplied by: x / s_a - C_A[a] in units of 2**-10."""
        return data.StructLayout({"magnitude": self.ratio_bits + 1, "negative": 1})

    @cached_property
    def counting_beat(self) -> data.StructLayout:
        """What is counted in one cycle: ``pairs`` input channels for one channel of each line."""
        return data.StructLayout(
            {
                "tile": range(self.tiles_max),
                "address": range(self.counting_beats_max),
                "first": 1,
                "last": 1,
                "token_last": 1,
            }
        )

    @cached_property
    def compensation_beat(self) -> data.StructLayout:
        """One outlier for one group of channels; ``tiles`` of them are within the layer."""
        return data.StructLayout(
            {
                "group": range(self.channel_groups_max),
                "address": ceil_log2(2 * self.outliers_max),
                "tiles": range(self.compensation_macs + 1),
                "first": 1,
                "last": 1,
                "token_last": 1,
            }
        )

    def tiles(self, outputs: int) -> int:
        """Return the tiles of a layer: a channel of each line."""
        return -(-outputs // self.output_lanes)

    def main_cycles(self, inputs: int, outputs: int) -> int:
        """Return the cycles of the main branch: of a tile, counting or multiplying, if longer."""
        return self.tiles(outputs) * max(-(-inputs // self.pairs), self.steps)

    def compensation_cycles(self, outputs: int, outliers: int) -> int:
        """Return the cycles of the outlier branch, ``outliers`` on both sides together."""
        return outliers * -(-outputs // self.group_channels)
