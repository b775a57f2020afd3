"""Double buffer: one token is read while the next is written."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory

from hw.stream.component import Component, In


class Port(wiring.Signature):
    """A signature that equals others of its kind by its members, as plain signatures do."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.members == other.members  # pyright: ignore


class WritePort(Port):
    """Write side of a :class:`TokenBuffer`, as the writer sees it.

    ``free``: there is room to write a token; write only then. ``en``: writes these lanes of
    ``data`` to word ``address``. ``done``: the token is complete, with this cycle's word.
    """

    def __init__(self, lane_bits: int, lanes: int, depth: int) -> None:
        super().__init__(
            {
                "free": wiring.In(1),
                "en": wiring.Out(lanes),
                "address": wiring.Out(range(max(depth, 2))),
                "data": wiring.Out(lanes * lane_bits),
                "done": wiring.Out(1),
            }
        )


class ReadPort(Port):
    """Read side of a :class:`TokenBuffer`, as the reader sees it.

    ``filled``: there is a token to read; read only then. ``en``: reads word ``address`` into
    ``data``. ``done``: the token is not needed any more, after this cycle's word.
    """

    def __init__(self, lane_bits: int, lanes: int, depth: int) -> None:
        super().__init__(
            {
                "filled": wiring.In(1),
                "en": wiring.Out(1),
                "address": wiring.Out(range(max(depth, 2))),
                "data": wiring.In(lanes * lane_bits),
                "done": wiring.Out(1),
            }
        )


def write_as(target: Any, source: Any) -> list[Any]:
    """Return what lets one write side write what another says; ``done`` is left to the owner."""
    return [getattr(target, name).eq(getattr(source, name)) for name in ("en", "address", "data")]


class TokenBuffer(Component):
    """Hold the words of two tokens: one being read, one being written.

    Parameters
    ----------
    lane_bits : int
        Bits of a lane.
    lanes : int
        Lanes of a word; each has a write enable of its own.
    depth : int
        Words of a token.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read.en`` to ``read.data``; ``read.filled`` follows
        ``write.done``, and ``write.free`` follows ``read.done``, by one cycle.
    Rate : one write and one read per cycle.
    Through paths : none.
    Reset : both halves are free; the words stay.
    """

    LATENCY = 1

    write = In(lambda c: WritePort(c.lane_bits, c.lanes, c.depth))
    """Fills one half."""
    read = In(lambda c: ReadPort(c.lane_bits, c.lanes, c.depth))
    """Reads the other."""

    def __init__(self, lane_bits: int, lanes: int, depth: int) -> None:
        self.lane_bits, self.lanes, self.depth = lane_bits, lanes, depth
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        row = data.ArrayLayout(self.lane_bits, self.lanes)
        m.submodules.words = words = Memory(shape=row, depth=2 * self.depth, init=[])
        write = words.write_port(granularity=1)
        read = words.read_port()

        write_half, read_half = Signal(), Signal()
        tokens = Signal(range(3))
        m.d.comb += [
            self.write.free.eq(tokens != 2),
            self.read.filled.eq(tokens != 0),
            write.en.eq(self.write.en),
            write.addr.eq(self.write.address + Mux(write_half, self.depth, 0)),
            write.data.eq(self.write.data),
            read.en.eq(self.read.en),
            read.addr.eq(self.read.address + Mux(read_half, self.depth, 0)),
            self.read.data.eq(read.data),
        ]
        m.d.sync += [
            write_half.eq(write_half ^ self.write.done),
            read_half.eq(read_half ^ self.read.done),
            tokens.eq(tokens + self.write.done - self.read.done),
        ]
