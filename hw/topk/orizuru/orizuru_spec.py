"""Size of an outlier engine, and the layouts that all of them share."""

from dataclasses import dataclass
from functools import cached_property

from amaranth.lib import data
from amaranth.utils import ceil_log2

from golden.exact.spec import require_int
from hw.formats import KEY, require_power_of_two


@dataclass(frozen=True, kw_only=True)
class OrizuruSpec:
    """Parameters of an engine that finds a token's largest and smallest activations.

    Parameters
    ----------
    inputs_max : int
        Longest token, N: 2 to 65536.
    outliers_max : int
        Largest k_top, outliers on each side: 1 to 1024, at most ``inputs_max``.
    values_per_beat : int
        Activations taken per cycle: a power of two, 1 to 256.
    """

    inputs_max: int
    outliers_max: int
    values_per_beat: int

    def __post_init__(self) -> None:
        require_int("inputs_max", self.inputs_max, low=2, high=1 << 16)
        require_int("outliers_max", self.outliers_max, low=1, high=min(1024, self.inputs_max))
        require_power_of_two("values_per_beat", self.values_per_beat, low=1, high=256)

    @property
    def position_bits(self) -> int:
        """Bits of an activation's position in its token."""
        return ceil_log2(self.inputs_max)

    @property
    def beats_max(self) -> int:
        """Beats of the longest token."""
        return -(-self.inputs_max // self.values_per_beat)

    @cached_property
    def beat(self) -> data.StructLayout:
        """What comes in: keys, lane 0 lowest; which lanes count; whether it ends the token.

        Only a token's last beat may have lanes that do not count, and those are the upper ones.
        """
        keys = data.ArrayLayout(KEY, self.values_per_beat)
        return data.StructLayout({"keys": keys, "mask": self.values_per_beat, "last": 1})

    @cached_property
    def entry(self) -> data.StructLayout:
        """What comes out: an activation's key and its position."""
        return data.StructLayout({"key": KEY, "position": self.position_bits})
