"""Exact sum of squares, or of powers."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from hw.arith.bits import choose
from hw.arith.columns import compress, rows, sum_of_parts
from hw.arith.wires import wire
from hw.formats import require_power_of_two
from hw.fp16.fp16_parts import MANTISSA, Number, unpack
from hw.stream.component import Component, In, Out
from hw.stream.pipeline import later
from hw.vector.vector_spec import COUNT_BITS

SQUARE_BITS = 2 * MANTISSA
TERM_BITS = 62  # of the largest square in units of 2**-30
START_BITS = 40
SECTION = 8  # bits of the sum through which a carry goes in one cycle
# A square is mantissa**2 * 2**(2 exponent - 50), and the unit is 2**-30; a number is
# mantissa * 2**(exponent - 25), and the unit is 2**-24.
SQUARE_DROP, POWER_DROP = 20, 1
FAR = 16


class VectorSum(Component):
    """Add up squares in units of 2**-30, each cut to it, or powers in units of 2**-24.

    Bit-exact with :func:`golden.exact.norms.square_sum`, and the sum of
    :func:`golden.exact.fp16.units`. Carries go from section to section of the sum in the cycles
    that follow.

    Parameters
    ----------
    lanes : int
        Numbers in a cycle: a power of two, 1 to 64.

    Timing
    ------
    Latency : ``LATENCY`` cycles from numbers to all that they change of ``total``; for powers,
        which change its lower bits only, ``POWERS_LATENCY``.
    Rate : ``lanes`` numbers per cycle.
    Through paths : none.
    Reset : the sum is 0.
    """

    TOTAL_BITS = TERM_BITS + COUNT_BITS
    LATENCY = 2 + -(-TOTAL_BITS // SECTION)
    POWERS_LATENCY = 2 + -(-(25 + COUNT_BITS) // SECTION)

    clear = In(1)
    """Strobe: the sum is ``start`` from the next cycle on. By then nothing is on its way."""
    start = In(START_BITS)
    """What it begins with."""
    squares = In(1)
    """Whether squares are added up. Steady while anything is on its way."""
    used = In(lambda c: c.lanes)
    """Which lanes count in this cycle."""
    numbers = In(lambda c: 16 * c.lanes)
    """Finite FP16 patterns to be squared, lane 0 lowest."""
    powers = In(lambda c: 16 * c.lanes)
    """FP16 patterns from +0 to 1 to be added up as they are, lane 0 lowest."""
    total = Out(TOTAL_BITS)
    """Sum since it was cleared; of 65535 numbers at most."""

    def __init__(self, lanes: int) -> None:
        require_power_of_two("lanes", lanes, low=1, high=64)
        self.lanes = lanes
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        terms = [self._term(m, n) for n in range(self.lanes)]
        carried: Value = Const(0, 1)
        parts = []
        for low in range(0, self.TOTAL_BITS, SECTION):
            added = sum((term[low : low + SECTION] for term in terms), Const(0, 1))
            bits = max(min(SECTION, TERM_BITS - low), 0)
            bits += (self.lanes - 1).bit_length() if bits else 0
            beat = Signal(bits, name=f"beat{low}", reset_less=True)
            m.d.sync += beat.eq(added)
            part = Signal(min(SECTION, self.TOTAL_BITS - low), name=f"part{low}")
            total = wire(m, part + beat + carried, f"total{low}")
            m.d.sync += part.eq(Mux(self.clear, self.start[low : low + SECTION], total))
            # A section each of all lanes and of the sum, and as much as this: it leaves no more.
            carry = Signal(range(self.lanes + 1), name=f"carry{low}")
            m.d.sync += carry.eq(total[SECTION:])
            carried = carry
            parts.append(part)
        m.d.comb += self.total.eq(Cat(parts))

    def _term(self, m: Module, lane: int) -> Value:
        """Return what is added of a lane: a mantissa, or its square, shifted."""
        number, power = (
            unpack(m, port.word_select(lane, 16), f"{name}{lane}")
            for name, port in (("number", self.numbers), ("power", self.powers))
        )
        squares = later(m, self.squares, 1)
        offset = SQUARE_DROP - POWER_DROP
        shift = Mux(squares, number.exponent << 1, power.exponent + offset)[:6]
        value = Mux(squares, self._square(m, number, f"square{lane}"), power.mantissa)
        value = later(m, wire(m, value, f"value{lane}"), 1)
        shift = later(m, wire(m, shift, f"shift{lane}"), 1)
        used = later(m, self.used[lane], 1)
        for n in range(4):
            value = wire(m, value << (shift[n] << n), f"near{lane}_{1 << n}")
        far = [wire(m, (shift[4:] == n) & used, f"far{lane}_{n}") for n in range(4)]
        placed = choose(*((far[n], (value << FAR * n) >> SQUARE_DROP) for n in range(4)))
        return wire(m, placed[:TERM_BITS], f"term{lane}")

    def _square(self, m: Module, number: Number, name: str) -> Value:
        """Return the square of a mantissa: pairs of its bits count twice."""
        columns: list[list[Value]] = [[] for _ in range(SQUARE_BITS)]
        for n, bit in enumerate(number.mantissa):
            columns[2 * n].append(bit)
            for k in range(n):
                pair = wire(m, bit & number.mantissa[k], f"{name}_{n}_{k}")
                columns[n + k + 1].append(pair)
        a, b = rows(compress(m, columns, name, width=SQUARE_BITS))
        return sum_of_parts(m, a, b, name, 9, 13, 17)[:SQUARE_BITS]
