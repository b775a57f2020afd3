"""What the chip's units share: the memory outside and the vector memory."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib.wiring import connect

Parts = Mapping[str, Any]


def share_reads(m: Module, parts: Parts) -> None:
    """Let the sequencer read tokens, and the unit that reads have words in parts."""
    reader, splitter, sequencer = (parts[n] for n in ("reader", "splitter", "sequencer"))
    connect(m, sequencer.request_o, reader.i[1])
    connect(m, reader.o[1], sequencer.i)
    connect(m, reader.o[2], splitter.i)
    request = reader.i[2]
    users = [parts[name] for name in ("loader", "linear")]
    for user in users:
        m.d.comb += [
            user.request_o.ready.eq(request.ready),
            user.i.valid.eq(splitter.o.valid & user.busy),
            user.i.payload.eq(splitter.o.payload),
        ]
    ports = [user.request_o for user in users]
    m.d.comb += [
        request.valid.eq(Cat(port.valid for port in ports).any()),
        request.payload.eq(any_of([Mux(p.valid, p.payload.as_value(), 0) for p in ports])),
        splitter.o.ready.eq(any_of([user.i.ready & user.busy for user in users])),
        splitter.size.eq(any_of([Mux(user.busy, user.size, 0) for user in users])),
        splitter.done.eq(any_of([user.done & user.busy for user in users])),
    ]


def share_writes(m: Module, parts: Parts) -> None:
    """Let the one that writes have the bus."""
    pieces, writer = parts["pieces"], parts["writer"]
    connect(m, pieces.request_o, writer.request_i)
    connect(m, pieces.word_o, writer.word_i)
    users = [parts[name].write_o for name in ("sequencer", "storer", "cache")]
    m.d.comb += [user.ready.eq(pieces.i.ready) for user in users]
    m.d.comb += [
        pieces.i.valid.eq(Cat(user.valid for user in users).any()),
        pieces.i.payload.eq(any_of([Mux(u.valid, u.payload.as_value(), 0) for u in users])),
    ]


def share_vectors(m: Module, parts: Parts) -> None:
    """Let the one that is busy have the vector memory."""
    memory = parts["memory"]
    readers = [parts[name].read for name in ("linear", "vectors", "storer", "quantizer")]
    writers = [parts[name].write for name in ("linear", "vectors", "loader")]
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
