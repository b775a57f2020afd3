"""Grid unit: an activation divided by the token scale, as 8 bits."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data

from golden.exact.grid import RECIPROCAL_DROP
from golden.exact.spec import GRID_BITS, GRID_FRACTION_BITS, GRID_MAX, RECIPROCAL_SHIFT
from hw.arith.shifts import shift_right
from hw.arith.wires import wire
from hw.formats import A_EXPONENT
from hw.stream.component import Component, In, Out
from hw.stream.pipeline import Pipeline, Staged, scratch
from hw.token.quotient import quotient
from hw.token.reciprocal import QUOTIENT_BITS

DIVISOR = data.StructLayout({"reciprocal": QUOTIENT_BITS - RECIPROCAL_DROP, "exponent": A_EXPONENT})
# The product of mantissa and reciprocal is the quotient in steps, times two to this power, where
# both exponents are zero.
PLACES = RECIPROCAL_SHIFT - RECIPROCAL_DROP - GRID_FRACTION_BITS


def grid_code(pipe: Pipeline, activation: Staged, divisor: data.View) -> Staged:
    """Return the code of an FP16 activation: magnitude in bits 0 to 6, sign in bit 7.

    Bit-exact with :func:`golden.exact.grid.grid_index`. The divisor is steady.
    """
    product, distance = quotient(pipe, activation, divisor.reciprocal, divisor.exponent, PLACES)
    sign = Staged(activation.value[15], activation.depth)

    def finish(product: Value, distance: Value, sign: Value) -> Value:
        halves = wire(pipe.m, shift_right(pipe.m, product, distance, "halves")[0], "halves")
        steps = wire(pipe.m, (halves[: GRID_BITS + 1] + 1) >> 1, "steps")
        beyond = halves[GRID_BITS + 1 :].any() | steps[GRID_BITS - 1 :].any()
        magnitude = Mux(beyond, Const(GRID_MAX, GRID_BITS - 1), steps[: GRID_BITS - 1])
        return Cat(magnitude, sign & magnitude.any())

    return pipe.stage(finish, product, distance, sign)


class GridUnit(Component):
    """Find the step of a grid nearest to an activation.

    Timing
    ------
    Latency : ``latency`` cycles from ``activation`` to ``code``.
    Rate : one activation per cycle.
    Through paths : none.
    Reset : none needed.
    """

    measure = In(DIVISOR)
    """What divides by the token scale: the upper bits of its mantissa's reciprocal, and its
    exponent. Steady while activations are under way.
    """
    activation = In(16)
    """Finite FP16 pattern."""
    code = Out(GRID_BITS)
    """Steps of 2**-4 token scales: magnitude in bits 0 to 6, sign in bit 7; no negative zero."""

    def __init__(self) -> None:
        super().__init__()
        self.latency = self._code(scratch()).depth

    def build(self, m: Module) -> None:  # noqa: D102
        m.d.comb += self.code.eq(self._code(Pipeline(m, 1)).value)

    def _code(self, pipe: Pipeline) -> Staged:
        (activation,) = pipe.start(self.activation)
        return grid_code(pipe, activation, self.measure)
