"""What a double buffer must do, as rules."""

from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.stream.token_buffer import ReadPort, TokenBuffer, WritePort
from sim.proofs.properties import Properties, keeps


class BufferRules(wiring.Component):
    """A :class:`hw.stream.token_buffer.TokenBuffer`, its writer and reader free in all they do.

    Of one token, whichever is the ``watched`` one, one lane of one word is followed: what was
    written there last is what is read. Tokens come out in the order in which they went in, none
    is lost, and there is room for two.

    Parameters
    ----------
    lane_bits, lanes, depth : int
        As for the buffer.

    Ports
    -----
    write : In(``WritePort``)
        As for the buffer; so is the next.
    read : In(``ReadPort``)
        Reads.
    address : In(range(depth))
        The word that is followed. Steady until a reset.
    lane : In(range(lanes))
        And the lane. Steady until a reset.
    watch : In(1)
        The token that is being written is the watched one, if none is yet.
    """

    write: Any
    read: Any
    address: Signal
    lane: Signal
    watch: Signal
    properties: Properties

    def __init__(self, lane_bits: int, lanes: int, depth: int) -> None:
        self.lane_bits, self.lanes, self.depth = lane_bits, lanes, depth
        self.buffer = TokenBuffer(lane_bits, lanes, depth)
        ports = {
            "write": In(WritePort(lane_bits, lanes, depth)),
            "read": In(ReadPort(lane_bits, lanes, depth)),
            "address": In(range(max(depth, 2))),
            "lane": In(range(max(lanes, 2))),
            "watch": In(1),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        self.properties = p = Properties(m, platform)
        m.submodules.buffer = self.buffer
        wiring.connect(m, self.buffer.write, wiring.flipped(self.write))
        wiring.connect(m, self.buffer.read, wiring.flipped(self.read))
        write, read = self.write, self.read
        place = Cat(self.address, self.lane)
        p.assume("place_is_steady", keeps(m, place, "place"))
        p.assume("writes_where_room_is", write.free | ~(write.en.any() | write.done))
        p.assume("reads_what_is_there", read.filled | ~(read.en | read.done))
        p.assume("writes_in_range", write.address < self.depth)
        p.assume("place_is_there", (self.address < self.depth) & (self.lane < self.lanes))

        tokens, ahead = Signal(range(3)), Signal(range(3))  # complete; of these, to be read first
        watched, complete, over = Signal(), Signal(), Signal()
        writing = (watched | self.watch) & ~complete
        m.d.sync += [
            tokens.eq(tokens + write.done - read.done),
            watched.eq(watched | self.watch),
            complete.eq(complete | (writing & write.done)),
        ]
        with m.If(~watched):
            m.d.sync += ahead.eq(tokens - read.done)
        with m.Elif(read.done):
            m.d.sync += [ahead.eq(ahead - (ahead != 0)), over.eq(over | (ahead == 0))]

        value, known = Signal(self.lane_bits), Signal()
        asked = Signal()
        written = write.en.bit_select(self.lane, 1)
        with m.If(writing & written & (write.address == self.address)):
            m.d.sync += [value.eq(write.data.word_select(self.lane, self.lane_bits)), known.eq(1)]
        mine = complete & (ahead == 0) & ~over
        m.d.sync += asked.eq(read.en & mine & known & (read.address == self.address))
        p.rule("is_free_for_two", write.free == (tokens != 2))
        p.rule("is_filled_by_one", read.filled == (tokens != 0))
        found = read.data.word_select(self.lane, self.lane_bits)
        p.rule("reads_what_was_written", ~asked | (found == value))
        p.reach("is_read_while_the_next_is_written", asked & written)
        p.reach("is_full", tokens == 2)
        return m
