"""Stage: one place in a stream, filled and emptied in the same cycle."""

from typing import Any

from amaranth.hdl import Module, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Stage(wiring.Component):
    """Keep one item until it is taken.

    Parameters
    ----------
    shape : ShapeLike
        An item.

    Ports
    -----
    i : In(stream of ``shape``)
        Items.
    o : Out(stream of ``shape``)
        The same.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer on ``i`` to ``o.valid``.
    Rate : one item per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the item.
    """

    LATENCY = 1

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: ShapeLike) -> None:
        self.shape = shape
        item: Any = stream.Signature(shape)
        super().__init__({"i": In(item), "o": Out(item)})

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(self.i.payload)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
