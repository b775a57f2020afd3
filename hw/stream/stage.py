"""Stage: one place in a stream, filled and emptied in the same cycle."""

from amaranth.hdl import Module, ShapeLike

from hw.stream.component import Component, InStream, OutStream


class Stage(Component):
    """Keep one item until it is taken.

    Parameters
    ----------
    shape : ShapeLike
        An item.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer on ``i`` to ``o.valid``.
    Rate : one item per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the item.
    """

    LATENCY = 1

    i = InStream(lambda c: c.shape)
    """Items."""
    o = OutStream(lambda c: c.shape)
    """The same."""

    def __init__(self, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(self.i.payload)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
