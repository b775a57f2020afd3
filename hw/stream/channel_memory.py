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

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read_en`` to ``values``; what is written in the same cycle
        is not read yet.
    Rate : one group read and one channel written per cycle.
    Through paths : none.
    Reset : the values stay.
    """

    LATENCY = 1

    channel_en = In(1)
    """Strobe: writes ``channel`` to ``channel_address``."""
    channel_address = In(lambda c: range(max(c.groups * c.lanes, 2)))
    """Channel."""
    channel = In(lambda c: c.shape)
    """Its value."""
    read_en = In(1)
    """Reads the values of ``group``."""
    group = In(lambda c: range(max(c.groups, 2)))
    """Which channels: those from ``group * lanes`` on."""
    values = Out(lambda c: c.row)
    """Their values, until other ones are read."""

    def __init__(self, shape: ShapeLike, lanes: int, groups: int) -> None:
        self.shape, self.lanes, self.groups = shape, lanes, groups
        self.row = data.ArrayLayout(shape, lanes)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        lane_bits = exact_log2(self.lanes)
        m.submodules.rows = rows = Memory(shape=self.row, depth=self.groups, init=[])
        write, read = rows.write_port(granularity=1), rows.read_port()
        m.d.comb += [
            write.addr.eq(self.channel_address >> lane_bits),
            write.en.eq(self.channel_en << self.channel_address[:lane_bits]),
            read.addr.eq(self.group),
            read.en.eq(self.read_en),
            self.values.eq(read.data),
        ]
        m.d.comb += [write.data[lane].eq(self.channel) for lane in range(self.lanes)]
