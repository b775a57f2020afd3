"""Double buffer: one token is read while the next is written."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class TokenBuffer(wiring.Component):
    """Hold the words of two tokens: one being read, one being written.

    Parameters
    ----------
    lane_bits : int
        Bits of a lane.
    lanes : int
        Lanes of a word; each has a write enable of its own.
    depth : int
        Words of a token.

    Ports
    -----
    free : Out(1)
        Whether there is room to write a token. Write only then.
    write_en : In(lanes)
        Writes these lanes of ``write_data`` to ``write_address``.
    write_address : In(range(depth))
        Word of the token that is written.
    write_data : In(lanes * lane_bits)
        What to write.
    write_done : In(1)
        Strobe: the token is complete, with the word written in this cycle.
    filled : Out(1)
        Whether there is a token to read. Read only then.
    read_en : In(1)
        Reads ``read_address``.
    read_address : In(range(depth))
        Word of the token that is read.
    read_data : Out(lanes * lane_bits)
        The word read last.
    read_done : In(1)
        Strobe: the token is not needed any more, after the word read in this cycle.

    Timing
    ------
    Latency : ``LATENCY`` cycle from ``read_en`` to ``read_data``; ``filled`` follows
        ``write_done``, and ``free`` follows ``read_done``, by one cycle.
    Rate : one write and one read per cycle.
    Through paths : none.
    Reset : both halves are free; the words stay.
    """

    LATENCY = 1

    free: Signal
    write_en: Signal
    write_address: Signal
    write_data: Signal
    write_done: Signal
    filled: Signal
    read_en: Signal
    read_address: Signal
    read_data: Signal
    read_done: Signal

    def __init__(self, lane_bits: int, lanes: int, depth: int) -> None:
        self.lane_bits, self.lanes, self.depth = lane_bits, lanes, depth
        word = lane_bits * lanes
        address = range(max(depth, 2))
        ports = {
            "free": Out(1),
            "write_en": In(lanes),
            "write_address": In(address),
            "write_data": In(word),
            "write_done": In(1),
            "filled": Out(1),
            "read_en": In(1),
            "read_address": In(address),
            "read_data": Out(word),
            "read_done": In(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        row = data.ArrayLayout(self.lane_bits, self.lanes)
        m.submodules.words = words = Memory(shape=row, depth=2 * self.depth, init=[])
        write = words.write_port(granularity=1)
        read = words.read_port()

        write_half, read_half = Signal(), Signal()
        tokens = Signal(range(3))
        m.d.comb += [
            self.free.eq(tokens != 2),
            self.filled.eq(tokens != 0),
            write.en.eq(self.write_en),
            write.addr.eq(self.write_address + Mux(write_half, self.depth, 0)),
            write.data.eq(self.write_data),
            read.en.eq(self.read_en),
            read.addr.eq(self.read_address + Mux(read_half, self.depth, 0)),
            self.read_data.eq(read.data),
        ]
        m.d.sync += [
            write_half.eq(write_half ^ self.write_done),
            read_half.eq(read_half ^ self.read_done),
            tokens.eq(tokens + self.write_done - self.read_done),
        ]
        return m
