"""Size of an FP16 counter engine, and the cycles that it takes."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.lib import data
from amaranth.utils import ceil_log2

from hw.formats import require_power_of_two
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter_fp16.dequant_unit import CODEBOOK
from hw.linear.counter_fp16.fp16_compensation_mac import Fp16CompensationMac

FP16_CHANNEL = data.StructLayout({"bias": 16, "scale": 16})


@dataclass(frozen=True, kw_only=True)
class Fp16CounterSpec(CounterSpec):
    """Parameters of a :class:`hw.linear.counter_fp16.fp16_counter_engine.Fp16CounterEngine`.

    Those of :class:`hw.linear.counter.counter_spec.CounterSpec`, with FP16 numbers where that has
    integers; bins are not folded.

    Parameters
    ----------
    slots : int
        Groups of output channels whose sums a compensation MAC holds: a power of two, 8 to 64.
    """

    slots: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        low = 1 << ceil_log2(Fp16CompensationMac.SLOTS_MIN)
        require_power_of_two("slots", self.slots, low=low, high=64)
        if self.folded:
            raise ValueError("folded must be False: FP16 counters have a bin for each pair")

    @property
    def weight_codebook(self) -> data.ArrayLayout:
        """FP16 centroids of the weights, by code."""
        return CODEBOOK

    @property
    def channel(self) -> data.StructLayout:
        """FP16 scale and bias of an output channel."""
        return FP16_CHANNEL

    @cached_property
    def product_table(self) -> data.ArrayLayout:
        """Product table: an FP16 pattern for each bin."""
        return data.ArrayLayout(16, self.bins)

    @property
    def tiles_together(self) -> int:
        """Tiles whose compensation comes to an end at the same time."""
        return self.compensation_macs * self.slots

    @property
    def entry_bits(self) -> int:
        """Bits of a product on its way to the tree."""
        return 16

    @cached_property
    def tile(self) -> data.ArrayLayout:
        """A tile's FP16 sums over all pairs: one output channel of each line."""
        return data.ArrayLayout(16, self.output_lanes)

    @cached_property
    def compensation_tile(self) -> data.ArrayLayout:
        """The same channels' FP16 sums over all outliers."""
        return data.ArrayLayout(16, self.output_lanes)

    @cached_property
    def residual(self) -> data.StructLayout:
        """What an outlier is beyond its centroid."""
        return data.StructLayout({"error": 16})

    @cached_property
    def group_word(self) -> data.ArrayLayout:
        """A number for each output channel of a group."""
        return data.ArrayLayout(16, self.group_channels)

    @cached_property
    def compensation_beat(self) -> data.StructLayout:
        """One outlier for one group of channels; of a block of ``slots`` groups, the ``slot``-th.

        ``last``: of the outliers; ``block_last``: of the block's beats.
        """
        return data.StructLayout(
            {
                "group": range(self.channel_groups_max),
                "slot": range(self.slots),
                "address": ceil_log2(2 * self.outliers_max),
                "first": 1,
                "last": 1,
                "block_last": 1,
                "token_last": 1,
            }
        )

    def compensation_cycles(self, outputs: int, outliers: int) -> int:
        """Return the cycles of the outlier branch, ``outliers`` on both sides together.

        Every outlier takes a turn of all slots, whether the last block fills them or not.
        """
        return outliers * self.slots * -(-outputs // (self.group_channels * self.slots))
