"""Sum over a quantised vector by counts, and its largest index."""

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import data

from golden.exact.index_statistics import CONSTANT_BITS, INDEX_BITS, INDICES
from hw.arith.columns import Columns, compress, register
from hw.arith.wires import wire
from hw.index.index_histogram import IndexHistogram, index_beat
from hw.stream.component import Component, In, InStream, OutStream
from hw.stream.pipeline import later

SECTION = 10  # bits through which a carry goes in a cycle


class IndexSum(Component):
    """Count a vector's indices, then add up what they count for: a product for each index.

    Bit-exact with :func:`golden.exact.index_statistics.sum_by_counts` and ``largest_index``.

    Parameters
    ----------
    lanes : int
        Elements of a beat: a power of two, 1 to 64.
    longest : int
        Elements of the longest vector: up to 2**16.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``o.valid``.
    Rate : one beat per cycle; after a vector's last one ``BETWEEN`` cycles, and a vector every
        ``latency - 1`` cycles, or when ``o`` is taken.
    Through paths : none.
    Reset : drops the vectors under way.
    """

    BETWEEN = IndexHistogram.LATENCY + INDICES

    constants = In(data.ArrayLayout(CONSTANT_BITS, INDICES))
    """What each index counts for; steady while vectors are under way."""
    i = InStream(lambda c: c.beat)
    """Indices, and which of them count. ``last`` marks a vector's last beat."""
    o = OutStream(lambda c: c.sum)
    """One sum per vector, and the highest index that occurs in it; 0 if none does."""

    def __init__(self, lanes: int, longest: int) -> None:
        self.lanes, self.longest = lanes, longest
        self.beat = index_beat(lanes, longest)
        self.total_bits, self.sections = sum_bits(longest), -(-sum_bits(longest) // SECTION)
        self.latency = sum_latency(longest)
        self.sum = data.StructLayout({"total": self.total_bits, "largest": INDEX_BITS})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        histogram = self.put(m, "histogram", IndexHistogram(self.lanes, self.longest))
        m.d.comb += [
            histogram.i.payload.eq(self.i.payload),
            histogram.i.valid.eq(self.i.valid),
            self.i.ready.eq(histogram.i.ready),
        ]
        counted, busy = histogram.o, Signal()
        item = counted.payload
        at_end = wire(m, item.index == INDICES - 1, "at_end")
        constant = Signal(CONSTANT_BITS, name="s1_constant", reset_less=True)
        count = Signal.like(item.count, name="s1_count", reset_less=True)
        taken = wire(m, counted.valid & ~busy, "taken")
        m.d.comb += counted.ready.eq(~busy)
        m.d.sync += [constant.eq(Array(self.constants)[item.index]), count.eq(item.count)]
        with m.If(taken & at_end):
            m.d.sync += busy.eq(1)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += busy.eq(0)
        with m.If(taken & (item.count.any() | (item.index == 0))):
            m.d.sync += self.o.payload.largest.eq(item.index)
        product = register(m, self._product(m, count, constant), "s2_product")
        adding = later(m, taken, 2, reset_less=False)
        complete = later(m, taken & at_end, 2, reset_less=False)
        self._accumulate(m, product, adding, complete)

    def _accumulate(self, m: Module, product: Columns, adding: Value, complete: Value) -> None:
        """Add products, carries apart; at the end take the carries in, a section in a cycle."""
        bits = self.sections * SECTION
        total, carries, carry = Signal(bits), Signal(bits), Signal()
        left = Signal(self.sections)
        terms = [total, carries, *_three(product)]
        while len(terms) > 2:
            terms = [*saved(m, *terms[:3]), *terms[3:]]
        section = wire(m, total[:SECTION] + carries[:SECTION] + carry, "section")
        with m.If(adding):
            m.d.sync += [total.eq(terms[0]), carries.eq(terms[1])]
        with m.Elif(left.any()):
            m.d.sync += total.eq(Cat(total[SECTION:], section[:SECTION]))
            m.d.sync += [carries.eq(carries >> SECTION), carry.eq(section[SECTION])]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += total.eq(0)
        m.d.sync += left.eq(Cat(complete, left))
        with m.If(left[-1]):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        m.d.comb += self.o.payload.total.eq(total)

    def _product(self, m: Module, count: Value, constant: Value) -> Columns:
        """Return columns of at most three bits, whose sum is the product."""
        columns: list[list[Value]] = [[] for _ in range(self.total_bits)]
        for place, bit in enumerate(count):
            row = wire(m, constant & bit.replicate(CONSTANT_BITS), f"row{place}")
            for column, one in zip(columns[place:], row, strict=False):
                column.append(one)
        return compress(m, columns, "product", levels=5, width=self.total_bits)


def sum_bits(longest: int) -> int:
    """Return how many bits the sum of the longest vector has."""
    return (longest * ((1 << CONSTANT_BITS) - 1)).bit_length()


def sum_latency(longest: int) -> int:
    """Return the latency of an :class:`IndexSum`."""
    # A count is taken, multiplied and added in three cycles; then come carries.
    return IndexHistogram.LATENCY + INDICES + 2 + -(-sum_bits(longest) // SECTION)


def _three(columns: Columns) -> list[Value]:
    """Return the numbers that columns of at most three bits are made of."""
    none = Const(0, 1)
    return [Cat(column[n] if len(column) > n else none for column in columns) for n in range(3)]


def saved(m: Module, a: Value, b: Value, c: Value) -> tuple[Value, Value]:
    """Return two numbers with the sum of three, all as wide: a full adder for each bit."""
    sums = wire(m, a ^ b ^ c, "sums")
    carries = wire(m, (a & b) | (c & (a | b)), "carries")
    return sums, Cat(Const(0, 1), carries[:-1])
