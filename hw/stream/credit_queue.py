"""Credit queue: behind a pipeline that cannot wait, it says what may still go in."""

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib import wiring

from hw.stream.component import Component, In, Out, OutStream
from hw.stream.queue import Queue


class CreditQueue(Component):
    """Keep the results of a pipeline that cannot wait.

    Whoever starts what will end in a result reserves a place for it, and starts nothing while
    there is no room. The place is free again when the result is taken from ``o``.

    Parameters
    ----------
    shape : ShapeLike
        A result.
    depth : int
        Places. One result per cycle takes 3 and the cycles from ``reserve`` to ``push``.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``push`` to ``o.valid``; ``room`` follows ``reserve`` and
        a transfer on ``o`` by one cycle.
    Rate : one result per cycle.
    Through paths : none.
    Reset : drops all results; none is on its way.
    """

    LATENCY = Queue.LATENCY

    room = Out(1)
    """Whether there is a place for one more."""
    reserve = In(1)
    """Strobe: a result is on its way, one place less. Only while there is room."""
    push = In(1)
    """Strobe: ``item`` has come, in the cycle of its ``reserve`` or later."""
    item = In(lambda c: c.shape)
    """The result."""
    o = OutStream(lambda c: c.shape)
    """The results in their order."""

    def __init__(self, shape: ShapeLike, depth: int) -> None:
        self.shape, self.depth = shape, depth
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        m.submodules.queue = queue = Queue(self.shape, self.depth)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        left = Signal(range(self.depth + 1), init=self.depth)
        m.d.sync += left.eq(left - self.reserve + (self.o.valid & self.o.ready))
        m.d.comb += [
            self.room.eq(left != 0),
            queue.i.valid.eq(self.push),
            queue.i.payload.eq(self.item),
        ]
