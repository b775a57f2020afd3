"""Queue: a stream whose items wait until they are wanted."""

from amaranth.hdl import Module, Mux, Shape, ShapeLike, Signal

from hw.stream.component import Component, InStream, OutStream
from hw.stream.word_memory import WordMemory


class Queue(Component):
    """Keep the items of a stream, in their order, until they are taken.

    Parameters
    ----------
    shape : ShapeLike
        An item.
    depth : int
        How many find room, 2 at least: one is what the memory has read last.

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
        if depth < 2:
            raise ValueError(f"depth is at least 2, got {depth}")
        self.shape, self.depth = shape, depth
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        places = self.depth - 1
        items = WordMemory(Shape.cast(self.shape).width, places).put_in(self, m, "items")
        count = Signal(range(places + 1))  # in the memory, but for what it has read
        put, get = Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(count != places),
            put.eq(self.i.valid & self.i.ready),
            get.eq((count != 0) & (~self.o.valid | self.o.ready)),
            items.write_en.eq(put),
            items.write_data.eq(self.i.payload),
            items.read_en.eq(get),
            self.o.payload.eq(items.read_data),
        ]
        m.d.sync += count.eq(count + put - get)
        with m.If(self.o.ready | get):
            m.d.sync += self.o.valid.eq(get)
        put_place, get_place = Signal(range(places)), Signal(range(places))
        m.d.comb += [items.write_address.eq(put_place), items.read_address.eq(get_place)]
        for moves, place in ((put, put_place), (get, get_place)):
            with m.If(moves):
                m.d.sync += place.eq(Mux(place == places - 1, 0, place + 1))
