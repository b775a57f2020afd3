"""Sum of the squares of a vector, exactly but for squares below 2**-30."""

from amaranth.hdl import Cat, Module, Value

from golden.exact.norms import SQUARE_UNIT
from hw.arith.bits import choose
from hw.arith.columns import carry_select, compress, rows
from hw.arith.wires import wire
from hw.fp16.fp16_parts import MANTISSA, unpack
from hw.stream.component import In
from hw.vector.exact_sum import SECTION, ExactSum

START_BITS = 40
SQUARE = 2 * MANTISSA
DROP = 2 * 25 - SQUARE_UNIT  # x**2 is mantissa**2 * 2**(2 exponent - 50)


class SquareSum(ExactSum):
    """Add up x**2 over the beats of a vector, in units of 2**-30, from a start on.

    Bit-exact with :func:`golden.exact.norms.square_sum`: each square is cut to that unit.
    """

    TERM_BITS = 62

    start = In(START_BITS)
    """What each sum begins with; steady from the cycle before a vector comes to its end."""

    def prepare(self, m: Module, bits: Value, name: str) -> Value:
        """Return the mantissa's square and the exponent: pairs of bits count twice."""
        number = unpack(m, bits, name)
        factor = number.mantissa
        columns: list[list[Value]] = [[] for _ in range(SQUARE)]
        for n, bit in enumerate(factor):
            columns[2 * n].append(bit)
            for k in range(n):
                columns[n + k + 1].append(wire(m, bit & factor[k], f"{name}_{n}_{k}"))
        a, b = rows(compress(m, columns, f"{name}_square", width=SQUARE))
        return Cat(carry_select(m, a, b, f"{name}_square"), number.exponent)

    def term(self, m: Module, prepared: Value, name: str) -> Value:
        """Shift the square by twice the exponent."""
        square, exponent = prepared[:SQUARE], prepared[SQUARE:]
        for n in range(3):
            square = wire(m, square << (exponent[n] << n + 1), f"{name}_by{2 << n}")
        places = [(exponent[3:] == n, (square << 16 * n) >> DROP) for n in range(4)]
        return choose(*places)[: self.TERM_BITS]

    def begin(self) -> list[Value]:
        """Return the start in sections."""
        return [self.start[n : n + SECTION] for n in range(0, START_BITS, SECTION)]
