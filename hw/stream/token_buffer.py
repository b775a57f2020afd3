"""Token buffer: some tokens are read while others are written."""

from typing import Any

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring

from hw.stream.component import Component, In
from hw.stream.word_memory import WordMemory


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
    ``data``. ``done``: the token is not needed any more, after this cycle's word; the next one is
    read then. Where tokens are read ``again``, one that is done is kept if ``keep`` is high, and
    with ``back`` the next one is the oldest that is kept. None is given up while others are kept
    before it, and behind the last that can be held comes the oldest.
    """

    def __init__(self, lane_bits: int, lanes: int, depth: int, *, again: bool = False) -> None:
        super().__init__(
            {
                "filled": wiring.In(1),
                "en": wiring.Out(1),
                "address": wiring.Out(range(max(depth, 2))),
                "data": wiring.In(lanes * lane_bits),
                "done": wiring.Out(1),
                **({"keep": wiring.Out(1), "back": wiring.Out(1)} if again else {}),
            }
        )


def write_as(target: Any, source: Any) -> list[Any]:
    """Return what lets one write side write what another says; ``done`` is left to the owner."""
    return [getattr(target, name).eq(getattr(source, name)) for name in ("en", "address", "data")]


class TokenBuffer(Component):
    """Hold the words of two tokens, or more: some to be read, one being written.

    Parameters
    ----------
    lane_bits : int
        Bits of a lane.
    lanes : int
        Lanes of a word; each has a write enable of its own.
    depth : int
        Words of a token.
    tokens : int
        How many are held: a power of two; more than two can be read again.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read.en`` to ``read.data``; ``read.filled`` follows
        ``write.done``, and ``write.free`` follows ``read.done``, by one cycle.
    Rate : one write and one read per cycle.
    Through paths : none.
    Reset : all places are free; the words stay.
    """

    LATENCY = 1

    write = In(lambda c: WritePort(c.lane_bits, c.lanes, c.depth))
    """Fills one place."""
    read = In(lambda c: ReadPort(c.lane_bits, c.lanes, c.depth, again=c.tokens > 2))
    """Reads another."""

    def __init__(self, lane_bits: int, lanes: int, depth: int, tokens: int = 2) -> None:
        self.lane_bits, self.lanes, self.depth, self.tokens = lane_bits, lanes, depth, tokens
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        depth, places = self.depth, self.tokens
        words = WordMemory(self.lane_bits * self.lanes, places * depth, self.lanes)
        words.put_in(self, m, "words")
        write_place, read_place = Signal(range(places)), Signal(range(places))
        held, read_kept = Signal(range(places + 1)), Signal(range(places))  # kept: behind the next
        kept: Value | Signal = Const(0)
        if places > 2:
            kept = self.read.done & self.read.keep
        freed = self.read.done & ~kept
        m.d.comb += [
            self.write.free.eq(held != places),
            self.read.filled.eq(held > read_kept if places > 2 else held != 0),
            words.write_en.eq(self.write.en),
            words.write_address.eq(self.write.address + _start(write_place, depth)),
            words.write_data.eq(self.write.data),
            words.read_en.eq(self.read.en),
            words.read_address.eq(self.read.address + _start(read_place, depth)),
            self.read.data.eq(words.read_data),
        ]
        m.d.sync += [
            write_place.eq(write_place + self.write.done),
            read_place.eq(read_place + self.read.done),
            held.eq(held + self.write.done - freed),
        ]
        if places > 2:
            with m.If(kept):
                m.d.sync += read_kept.eq(Mux(self.read.back, 0, read_kept + 1))
                with m.If(self.read.back):
                    m.d.sync += read_place.eq(read_place - read_kept)


def _start(place: Value, depth: int) -> Value:
    """Return the first word of a place."""
    return Mux(place, depth, 0) if len(place) == 1 else place * depth
