"""Queue: a stream whose items wait until they are wanted."""

from typing import Any

from amaranth.hdl import Module, Shape, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out


class Queue(wiring.Component):
    """Keep the items of a stream, in their order, until they are taken.

    Parameters
    ----------
    shape : ShapeLike
        An item.
    depth : int
        How many find room.

    Ports
    -----
    i : In(stream of ``shape``)
        Items.
    o : Out(stream of ``shape``)
        The same.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one item in and one out per cycle.
    Through paths : none.
    Reset : drops all items.
    """

    LATENCY = 2

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape, self.depth = shape, depth
        item: Any = stream.Signature(shape)
        super().__init__({"i": In(item), "o": Out(item)})

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        width = Shape.cast(self.shape).width
        m.submodules.fifo = fifo = SyncFIFOBuffered(width=width, depth=self.depth)
        m.d.comb += [
            fifo.w_data.eq(self.i.payload),
            fifo.w_en.eq(self.i.valid),
            self.i.ready.eq(fifo.w_rdy),
            self.o.payload.eq(fifo.r_data),
            self.o.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.o.ready),
        ]
        return m
