"""What the chip's units share: the memory outside and the vector memory."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import connect

from golden.chip.instruction import Op

Parts = Mapping[str, Any]


def share_reads(m: Module, parts: Parts) -> None:
    """Let tokens, tiles and what comes in parts be read: of the last, by one unit at a time."""
    reader, splitter, sequencer = (parts[n] for n in ("reader", "splitter", "sequencer"))
    loader, linear = parts["loader"], parts["linear"]
    connect(m, sequencer.request_o, reader.i[1])
    connect(m, reader.o[1], sequencer.i)
    connect(m, reader.o[2], splitter.i)
    connect(m, linear.request_o, reader.i[3])
    connect(m, reader.o[3], linear.i)
    request = reader.i[2]
    requests = (loader.request_o, linear.load_request_o)
    streams, busy = (loader.i, linear.load_i), (loader.busy, linear.load_busy)
    sizes, ends = (loader.size, linear.load_size), (loader.done, linear.load_done)
    for stream, on in zip(streams, busy, strict=True):
        m.d.comb += [stream.valid.eq(splitter.o.valid & on), stream.payload.eq(splitter.o.payload)]
    m.d.comb += [
        [one.ready.eq(request.ready) for one in requests],
        request.valid.eq(Cat(one.valid for one in requests).any()),
        request.payload.eq(any_of([Mux(o.valid, o.payload.as_value(), 0) for o in requests])),
        splitter.o.ready.eq(any_of([s.ready & on for s, on in zip(streams, busy, strict=True)])),
        splitter.size.eq(any_of([Mux(on, n, 0) for n, on in zip(sizes, busy, strict=True)])),
        splitter.done.eq(any_of([end & on for end, on in zip(ends, busy, strict=True)])),
    ]


def share_writes(m: Module, parts: Parts) -> None:
    """Let the one that writes have the bus.

    The first piece of an instruction waits until memory has answered all that was written before;
    if it was with an error, the instruction's pieces are dropped.
    """
    pieces, writer, sequencer = (parts[n] for n in ("pieces", "writer", "sequencer"))
    connect(m, pieces.request_o, writer.request_i)
    connect(m, pieces.word_o, writer.word_i)
    users = [parts[name].write_o for name in ("sequencer", "storer", "cache")]
    starts = sequencer.starts
    offered, goes, begun, drops = Signal(), Signal(), Signal(), Signal()
    dropped = Mux(begun, drops, writer.error)
    m.d.comb += [
        offered.eq(Cat(user.valid for user in users).any()),
        goes.eq(offered & (begun | writer.idle)),
        [user.ready.eq(goes & (pieces.i.ready | dropped)) for user in users],
        pieces.i.valid.eq(goes & ~dropped),
        pieces.i.payload.eq(any_of([Mux(u.valid, u.payload.as_value(), 0) for u in users])),
    ]
    # What is offered stays so, even when the run has ended because memory does not answer.
    with m.If(starts[Op.STORE.value] | starts[Op.CACHE.value] | ~(sequencer.running | offered)):
        m.d.sync += begun.eq(0)
    with m.Elif(goes):
        m.d.sync += [begun.eq(1), drops.eq(dropped)]


def share_vectors(m: Module, parts: Parts) -> None:
    """Let the one that is busy have the vector memory.

    LINEAR's outputs wait for vector operations, and numbers that are loaded for both.
    """
    memory = parts["memory"]
    readers = [parts[name].read for name in ("linear", "vectors", "storer", "quantizer")]
    writers = [parts[name].write for name in ("linear", "vectors", "loader")]
    linear, loader, writes = parts["linear"], parts["loader"], parts["vectors"].writes
    m.d.comb += [linear.hold.eq(writes), loader.hold.eq(writes | linear.writes)]
    m.d.comb += [reader.data.eq(memory.read.data) for reader in readers]
    m.d.comb += [
        memory.read.en.eq(any_of([r.en for r in readers])),
        memory.read.address.eq(any_of([Mux(r.en, r.address, 0) for r in readers])),
        memory.write.en.eq(any_of([w.en for w in writers])),
        memory.write.address.eq(any_of([Mux(w.en.any(), w.address, 0) for w in writers])),
        memory.write.data.eq(any_of([Mux(w.en.any(), w.data.as_value(), 0) for w in writers])),
    ]


def any_of(values: list[Any]) -> Value:
    """Return the bitwise or of values, of which all but one are zero."""
    return reduce(or_, values)
