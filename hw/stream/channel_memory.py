"""Channel memory: a value for each channel, written one by one and read side by side."""

from amaranth.hdl import Module, ShapeLike
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.utils import exact_log2

from hw.stream.component import Component, In, Out


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
        m.submodules.rows = rows = Memory(shape=self.row, depth=self.groups, init=[])
        write, read = rows.write_port(granularity=1), rows.read_port()
        m.d.comb += [
            write.addr.eq(self.channel_address >> lane_bits),
            read.addr.eq(self.group),
            read.en.eq(self.read_en),
            self.values.eq(read.data),
        ]
        if self.at_once == 1:
            m.d.comb += write.en.eq(self.channel_en << self.channel_address[:lane_bits])
            m.d.comb += [write.data[lane].eq(self.channel) for lane in range(self.lanes)]
        else:
            m.d.comb += [
                write.en.eq(self.channel_en.replicate(self.lanes)),
                write.data.eq(self.channel),
            ]
