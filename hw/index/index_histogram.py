"""Index histogram: how often each index occurs in a vector."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data

from golden.exact.index_statistics import INDEX_BITS, INDICES
from golden.exact.spec import require_int
from hw.arith.columns import compress, rows
from hw.arith.wires import wire
from hw.formats import require_power_of_two
from hw.stream.component import Component, InStream, OutStream


class IndexHistogram(Component):
    """Count each index over the beats of a vector; then give the counts one after the other.

    Bit-exact with :func:`golden.exact.index_statistics.histogram`. The counts themselves are moved
    out, with zeros behind them, so that they are kept once.

    Parameters
    ----------
    lanes : int
        Elements of a beat: a power of two, 1 to 64.
    longest : int
        Elements of the longest vector: up to 2**16.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the transfer of the last beat to ``o.valid``.
    Rate : one beat per cycle, then the vector's counts, one per cycle while ``o.ready`` is high;
        one cycle later the next vector begins.
    Through paths : none.
    Reset : drops the vector under way.
    """

    LATENCY = 2

    i = InStream(lambda c: c.beat)
    """Indices, and which of them count. ``last`` marks a vector's last beat."""
    o = OutStream(lambda c: c.count)
    """How often an index occurs: indices 0 to 15 of each vector, in this order."""

    def __init__(self, lanes: int, longest: int) -> None:
        self.lanes, self.longest = lanes, longest
        self.beat = index_beat(lanes, longest)
        self.count_bits = longest.bit_length()
        self.count = data.StructLayout({"count": self.count_bits, "index": INDEX_BITS})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        valid, last, full = Signal(), Signal(), Signal()
        counts = [Signal(self.count_bits, name=f"count{n}") for n in range(INDICES)]
        index = Signal(INDEX_BITS)
        m.d.comb += [
            self.i.ready.eq(~(valid & last) & ~full),
            self.o.valid.eq(full),
            self.o.payload.count.eq(counts[0]),
            self.o.payload.index.eq(index),
        ]
        m.d.sync += [valid.eq(self.i.valid & self.i.ready), last.eq(self.i.payload.last)]
        for n, found in enumerate(self._beat(m)):
            part = Signal(len(found), name=f"s1_part{n}", reset_less=True)
            m.d.sync += part.eq(found)
            with m.If(valid):
                m.d.sync += counts[n].eq(counts[n] + part)
            with m.Elif(full & self.o.ready):
                m.d.sync += counts[n].eq(counts[n + 1] if n + 1 < INDICES else 0)
        with m.If(valid & last):
            m.d.sync += full.eq(1)
        with m.If(full & self.o.ready):
            m.d.sync += index.eq(index + 1)
            with m.If(index == INDICES - 1):
                m.d.sync += full.eq(0)

    def _beat(self, m: Module) -> list[Value]:
        """Return how often each index occurs in a beat."""
        beat, hits = self.i.payload, []
        for lane in range(self.lanes):
            index, used = beat.indices[lane], beat.used[lane]
            decoded = Cat(used & (index == Const(n, INDEX_BITS)) for n in range(INDICES))
            hits.append(wire(m, decoded, f"hits{lane}"))
        found = []
        for n in range(INDICES):
            ones = [lane[n] for lane in hits]
            a, b = rows(compress(m, [ones], f"ones{n}"))
            found.append(wire(m, (a + b)[: self.lanes.bit_length()], f"part{n}"))
        return found


def index_beat(lanes: int, longest: int) -> data.StructLayout:
    """Return the layout of a beat of indices, if vectors may be as long."""
    require_power_of_two("lanes", lanes, low=1, high=64)
    require_int("longest", longest, low=1, high=1 << 16)
    fields = {"indices": data.ArrayLayout(INDEX_BITS, lanes), "used": lanes, "last": 1}
    return data.StructLayout(fields)
