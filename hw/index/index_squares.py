"""Sum of squares of a vector on indices: that of its indices, and outliers, in one unit."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.norms import SQUARE_UNIT
from golden.exact.spec import A_FRACTION_BITS, SCALE_BITS, require_int
from hw.arith.bits import choose
from hw.arith.columns import carry_select, compress, rows
from hw.arith.wires import wire
from hw.formats import SCALE
from hw.index.index_sum import sum_bits
from hw.stream.component import Component, In, InStream, OutStream
from hw.token.quotient import EXPONENT_BIAS

DIGIT = 4  # bits of a product, and of the total, in a cycle
DIGITS = 20
TOTAL_BITS = DIGITS * DIGIT
FRACTION = range(2 * A_FRACTION_BITS + 1)  # of constants
PLACE = signed(8)
START_BITS = 62


class IndexSquares(Component):
    """Add the squares of outliers and what a vector's indices count for, digit by digit.

    Bit-exact with :func:`golden.exact.index_statistics.square_sum_by_counts`, behind what adds up
    the constants. A mantissa is squared by two multipliers, the digits of one going into the
    other; a sum by counts goes where a one stands for outliers. The total, below 2**80, turns once
    for each of them: a digit of the product meets that of its place.

    Parameters
    ----------
    longest : int
        Elements of the longest vector: up to 2**14.

    Timing
    ------
    Latency : ``cycles`` says how long an outlier or a sum takes; the first cycle of ``o.valid`` is
        the one after the sum's last.
    Rate : one at a time, first the outliers of a vector, then its sum.
    Through paths : none.
    Reset : drops the vector under way.
    """

    fraction = In(FRACTION)
    """Fraction bits of the constants. Steady while vectors are under way, as all that follows."""
    start = In(START_BITS)
    """What each sum begins with, in units of 2**-30."""
    outliers = InStream(lambda c: c.outlier)
    """Finite FP16 patterns; ``last`` marks a vector's last one. A vector without has a zero."""
    sums = InStream(lambda c: c.counted)
    """The sum of a vector's constants by counts, and its token scale."""
    o = OutStream(TOTAL_BITS)
    """Sum of squares in units of 2**-30."""

    def __init__(self, longest: int) -> None:
        require_int("longest", longest, low=1, high=1 << 14)
        self.longest = longest
        self.counted = data.StructLayout({"total": sum_bits(longest), "scale": SCALE})
        self.outlier = data.StructLayout({"number": 16, "last": 1})
        super().__init__()

    def cycles(self, place: int) -> int:
        """Return for how many cycles an item is there, if it is a multiple of ``2**place``."""
        return DIGITS + 4 - min(0, place // DIGIT)

    def build(self, m: Module) -> None:  # noqa: D102
        counting, running, fresh = Signal(), Signal(), Signal(init=1)
        tick = Signal(PLACE)
        mantissa, place = self._item(m, counting)
        begins = wire(m, self._there(counting) & ~running & ~self.o.valid, "begins")
        # The digit of the total that the product's lowest one meets, and by how much it is moved.
        shift = exact_log2(DIGIT)
        first = Signal(signed(len(place) - shift))
        by = Signal(shift)
        with m.If(begins):
            m.d.sync += Cat(by, first).eq(place)
        ends = wire(m, running & (tick == DIGITS + 2), "ends")
        active = wire(m, running & (tick >= first), "active")
        digit = self._digits(m, counting, active, begins, by)
        product = self._product(m, begins, digit, mantissa)
        self._turn(m, product, begins & fresh, running & (tick >= 3), begins)
        m.d.comb += [
            self.outliers.ready.eq(ends & ~counting),
            self.sums.ready.eq(ends & counting),
        ]
        with m.If(begins):
            early = place[shift:].as_signed()
            m.d.sync += [tick.eq(Mux(place[-1], early, 0)), running.eq(1), fresh.eq(0)]
        with m.Elif(running):
            m.d.sync += tick.eq(tick + 1)
        with m.If(ends):
            m.d.sync += [running.eq(0), counting.eq(~counting & self.outliers.payload.last)]
        with m.If(ends & counting):
            m.d.sync += [self.o.valid.eq(1), fresh.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)

    def _there(self, counting: Value) -> Value:
        return Mux(counting, self.sums.valid, self.outliers.valid)

    def _item(self, m: Module, counting: Value) -> tuple[Value, Value]:
        """Return mantissa and place of what is squared: in the total its square is a multiple."""
        number, scale = self.outliers.payload.number, self.sums.payload.scale
        exponent, some = number[10:15], number[10:15].any()
        mantissa = Mux(counting, scale.mantissa, Cat(number[:10], some))
        field = Cat(exponent[0] | ~some, exponent[1:])
        twice = Mux(counting, scale.exponent, field)
        less = Mux(counting, self.fraction, 2 * EXPONENT_BIAS)
        place = Signal(PLACE)
        m.d.comb += place.eq((twice << 1) + SQUARE_UNIT - less)
        return wire(m, mantissa, "mantissa"), place

    def _digits(self, m: Module, counting: Value, active: Value, clear: Value, by: Value) -> Value:
        """Return the digits of a sum, or of one for outliers, times a power of two.

        The lowest comes first.
        """
        factor = wire(m, Mux(counting, self.sums.payload.total, 1) << by, "factor")
        parts = -(-len(factor) // DIGIT)
        number = Signal(range(parts + 1))
        with m.If(clear):
            m.d.sync += number.eq(0)
        with m.Elif(active & (number != parts)):
            m.d.sync += number.eq(number + 1)
        options = ((number == n, factor.word_select(n, DIGIT)) for n in range(parts - 1))
        top = (number == parts - 1, factor[(parts - 1) * DIGIT :])
        digit = Signal(DIGIT)
        m.d.sync += digit.eq(choose(*options, top) & active.replicate(DIGIT))
        return digit

    def _product(self, m: Module, clear: Value, digit: Value, mantissa: Value) -> Value:
        """Multiply by the mantissa twice; a digit of the product comes two cycles later."""
        bits = SCALE_BITS + DIGIT
        for n in range(2):
            rest, out = Signal(SCALE_BITS, name=f"rest{n}"), Signal(DIGIT, name=f"digit{n}")
            columns: list[list[Value]] = [[bit] for bit in rest] + [[] for _ in range(DIGIT)]
            for place, bit in enumerate(digit):
                row = wire(m, mantissa & bit.replicate(SCALE_BITS), f"row{n}_{place}")
                for column, one in zip(columns[place:], row, strict=False):
                    column.append(one)
            a, b = rows(compress(m, columns, f"product{n}", width=bits))
            whole = wire(m, carry_select(m, a, b, f"whole{n}")[:bits], f"whole{n}")
            m.d.sync += [rest.eq(whole[DIGIT:]), out.eq(whole[:DIGIT])]
            with m.If(clear):
                m.d.sync += [rest.eq(0), out.eq(0)]
            digit = out
        return digit

    def _turn(self, m: Module, product: Value, load: Value, moves: Value, clear: Value) -> None:
        """Add a product's digits to those of the total, which come one after another."""
        total, carry = Signal(TOTAL_BITS), Signal()
        added = wire(m, total[:DIGIT] + product + carry, "added")
        m.d.comb += self.o.payload.eq(total)
        with m.If(load):
            m.d.sync += total.eq(self.start)
        with m.Elif(moves):
            m.d.sync += [total.eq(Cat(total[DIGIT:], added[:DIGIT])), carry.eq(added[DIGIT])]
        with m.If(clear):
            m.d.sync += carry.eq(0)
