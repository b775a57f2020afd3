"""Queue: a stream whose items wait until they are wanted."""

from amaranth.hdl import Module, Shape, ShapeLike
from amaranth.lib.fifo import SyncFIFOBuffered

from hw.stream.component import Component, InStream, OutStream


class Queue(Component):
    """Keep the items of a stream, in their order, until they are taken.

    Parameters
    ----------
    shape : ShapeLike
        An item.
    depth : int
        How many find room.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one item in and one out per cycle.
    Through paths : none.
    Reset : drops all items.
    """

    LATENCY = 2

    i = InStream(lambda c: c.shape)
    """Items."""
    o = OutStream(lambda c: c.shape)
    """The same."""

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape, self.depth = shape, depth
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
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
