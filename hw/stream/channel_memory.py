"""Channel memory: a value for each channel, written one by one and read side by side."""

from amaranth.hdl import Module, ShapeLike, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.stream.component import Component, In, Out
from hw.stream.word_memory import WordMemory


class ChannelMemory(Component):
    """Hold a value for each channel; read those of neighbouring channels at once.

    Parameters
    ----------
    shape : ShapeLike
        A channel's value.
    lanes : int
        Channels of a group, a power of two.
    groups : int
        Groups of channels.
    at_once : int
        Channels that are written together: one, or the whole group.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read_en`` to ``values``; what is written in the same cycle
        is not read yet.
    Rate : one group read and ``at_once`` channels written per cycle.
    Through paths : none.
    Reset : the values stay.
    """

    LATENCY = 1

    channel_en = In(1)
    """Strobe: writes ``channel`` to ``channel_address``, or from there on."""
    channel_address = In(lambda c: range(max(c.groups * c.lanes, 2)))
    """Channel."""
    channel = In(lambda c: c.shape if c.at_once == 1 else c.row)
    """Its value, or those of its group."""
    read_en = In(1)
    """Reads the values of ``group``."""
    group = In(lambda c: range(max(c.groups, 2)))
    """Which channels: those from ``group * lanes`` on."""
    values = Out(lambda c: c.row)
    """Their values, until other ones are read."""

    def __init__(self, shape: ShapeLike, lanes: int, groups: int, *, at_once: int = 1) -> None:
        if at_once not in (1, lanes):
            raise ValueError(f"at_once must be 1 or {lanes}, got {at_once}")
        self.shape, self.lanes, self.groups, self.at_once = shape, lanes, groups, at_once
        self.row = data.ArrayLayout(shape, lanes)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        lane_bits = exact_log2(self.lanes)
        rows = WordMemory(self.row.size, self.groups, self.lanes).put_in(self, m, "rows")
        m.d.comb += [
            rows.write_address.eq(self.channel_address >> lane_bits),
            rows.read_address.eq(self.group),
            rows.read_en.eq(self.read_en),
            self.values.eq(rows.read_data),
        ]
        channel = Value.cast(self.channel)
        if self.at_once == 1:
            m.d.comb += rows.write_en.eq(self.channel_en << self.channel_address[:lane_bits])
            m.d.comb += rows.write_data.eq(channel.replicate(self.lanes))
        else:
            m.d.comb += rows.write_en.eq(self.channel_en.replicate(self.lanes))
            m.d.comb += rows.write_data.eq(channel)
