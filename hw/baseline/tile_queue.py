"""Tiles that wait to be taken, and how many more may come."""

from amaranth.hdl import Module, Signal

from hw.baseline.mac_spec import MacSpec
from hw.stream.component import Component, In, Out, OutStream


class TileQueue(Component):
    """Keep tiles until they are taken; for each there is room before it is begun to be computed.

    Parameters
    ----------
    spec : MacSpec
        Layout of a tile; ``spec.interleave`` tiles may be waiting or on their way.

    Timing
    ------
    Latency : 1 cycle from ``push`` to ``o.valid``; also from taking a tile to ``room``.
    Rate : one tile per cycle.
    Through paths : none.
    Reset : empty, and nothing on its way.
    """

    reserve = In(1)
    """A tile is on its way: one place less. Only while ``room``."""
    room = Out(1)
    """Whether there is a place for one more."""
    push = In(1)
    """A tile has come, one of those that were announced."""
    tile = In(lambda c: c.spec.tile)
    """That tile."""
    o = OutStream(lambda c: c.spec.tile)
    """The tiles, in their order."""

    def __init__(self, spec: MacSpec) -> None:
        self.spec, self.depth = spec, spec.interleave
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        taken = Signal()
        announced = Signal(range(self.depth + 1))
        waiting = Signal(range(self.depth + 1))
        m.d.comb += [
            self.room.eq(announced != self.depth),
            self.o.valid.eq(waiting != 0),
            taken.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += [
            announced.eq(announced + self.reserve - taken),
            waiting.eq(waiting + self.push - taken),
        ]
        places = [
            Signal(self.spec.tile, name=f"place{n}", reset_less=True) for n in range(self.depth)
        ]
        write, read = Signal(range(self.depth)), Signal(range(self.depth))
        m.d.sync += [write.eq(write + self.push), read.eq(read + taken)]
        for n, place in enumerate(places):
            with m.If(self.push & (write == n)):
                m.d.sync += place.eq(self.tile)
        with m.Switch(read):
            for n, place in enumerate(places):
                with m.Case(n):
                    m.d.comb += self.o.payload.eq(place)
