"""Write port: what units write to the memory outside, one piece of a bus word at a time."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.bus.bursts import request
from hw.chip.chip_spec import ADDRESS_BITS, ChipSpec
from hw.stream.component import InStream, OutStream, Sized


def write_layout(spec: ChipSpec) -> data.StructLayout:
    """Return a piece: ``data`` stands at its place in a piece, as ``strobe`` says, byte by byte."""
    bits = max(spec.vector_bits, spec.row_bits)
    return data.StructLayout({"address": ADDRESS_BITS, "data": bits, "strobe": bits // 8})


class WritePort(Sized[ChipSpec]):
    """Make a word of the bus of each piece, and a request for it.

    Timing
    ------
    Latency : 0 cycles from ``i.valid`` to ``request_o.valid`` and ``word_o.valid``.
    Rate : one piece in two cycles: it is taken in the cycle after both have gone out.
    Through paths : ``i.valid`` to ``request_o.valid`` and ``word_o.valid``, ``i.payload`` to
        ``request_o.payload`` and ``word_o.payload``; combinational.
    Reset : drops nothing; the piece at hand goes out anew.
    """

    i = InStream(lambda c: write_layout(c.spec))
    """Pieces."""
    request_o = OutStream(lambda c: request(c.spec.axi))
    """A request for one word."""
    word_o = OutStream(lambda c: c.word)
    """The word, and its strobe."""

    def __init__(self, spec: ChipSpec) -> None:
        self.word = data.StructLayout({"data": spec.bus_bits, "strobe": spec.bus_bytes})
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec, piece = self.spec, self.i.payload
        size = len(piece.strobe)
        copies = spec.bus_bytes // size
        place = piece.address[exact_log2(size) :][: exact_log2(copies)]
        outputs = {"request": self.request_o, "word": self.word_o}
        sent = {name: Signal(name=f"{name}_sent") for name in outputs}
        m.d.comb += [
            self.request_o.payload.address.eq(
                piece.address[exact_log2(spec.bus_bytes) :] << exact_log2(spec.bus_bytes)
            ),
            self.request_o.payload.words.eq(1),
            self.word_o.payload.data.eq(piece.data.replicate(copies)),
            self.word_o.payload.strobe.eq(piece.strobe << (place * size)),
            self.i.ready.eq(sent["request"] & sent["word"]),
        ]
        for name, port in outputs.items():
            m.d.comb += port.valid.eq(self.i.valid & ~sent[name])
            m.d.sync += sent[name].eq(self.i.valid & ~self.i.ready & (sent[name] | port.ready))
