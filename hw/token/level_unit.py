"""Level unit: a step of the grid snapped to one of 8 or 16 levels."""

from amaranth.hdl import Cat, Module

from golden.exact.levels import STEP_BITS, Form
from golden.exact.spec import GRID_BITS
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.formats import FORM, LEVELS
from hw.stream.component import Component, In, Out


class LevelUnit(Component):
    """Find the level in whose range a magnitude is.

    Bit-exact with :meth:`golden.exact.levels.Levels.snapped`; a form without levels leaves codes
    to whoever asks.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one code per cycle.
    Through paths : every input to ``snapped``, combinational.
    Reset : no state.
    """

    levels = In(LEVELS)
    """The levels."""
    form = In(FORM)
    """How many of them count: all with A5, the first eight otherwise."""
    code = In(GRID_BITS)
    """As from :class:`hw.token.grid_unit.GridUnit`."""
    snapped = Out(GRID_BITS)
    """Its level: magnitude in bits 0 to 6, in bit 7 the sign of the code, also of level 0."""

    def build(self, m: Module) -> None:  # noqa: D102
        magnitude, sign = self.code[:STEP_BITS], self.code[STEP_BITS]
        all_count = self.form == Form.A5
        reached = [
            (magnitude >= first) & (1 if n < Form.A4.levels else all_count)
            for n, first in enumerate(self.levels.first, 1)
        ]
        # A level's range ends where the next one's begins.
        begun = wire(m, Cat(1, *reached), "begun")
        within = wire(m, begun & ~Cat(begun[1:], 0), "within")
        found = choose(*zip(within, self.levels.value, strict=True))
        m.d.comb += self.snapped.eq(Cat(found, sign))
