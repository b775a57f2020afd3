"""Functions of an FP16 number: a straight line in each of some segments."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Value

from golden.exact.functions import FUNCTIONS
from golden.exact.gelu import GELUS
from hw.arith.wires import wire
from hw.fp16.fp16_parts import unpack
from hw.fp16.fp16_unit import Pipelined
from hw.stream.component import In, Out
from hw.vector import function_float, function_gelu, function_power
from hw.vector.function_parts import Flags, Placed, Wanted, asked, pick
from hw.vector.segments import Line, value_on

POWERS = ("exp", "sigmoid")
KNOWN = FUNCTIONS | GELUS
PLACES = function_float.PLACES | function_gelu.PLACES
# 1 less a number of 12 bits is the number turned over, and this exponent.
ABOVE = 11


class FunctionUnit(Pipelined):
    """Compute a function of a number, one of some: all share a multiplier.

    Bit-exact with those of :mod:`golden.exact.functions` and :mod:`golden.exact.gelu`.

    Parameters
    ----------
    functions : tuple of str
        Names of ``KNOWN``, each once.
    """

    STAGES = 6

    function = In(lambda c: range(len(c.functions)) if len(c.functions) > 1 else None)
    """Which one: its place in ``functions``. There only if they are several."""
    i = In(16)
    """FP16 pattern."""
    o = Out(16)
    """FP16 pattern of the function's value."""

    def __init__(self, functions: tuple[str, ...], *, pipelined: bool = True) -> None:
        if not functions or len(set(functions)) < len(functions) or set(functions) - set(KNOWN):
            known = ", ".join(KNOWN)
            raise ValueError(f"functions must be some of {known}, each once, got {functions!r}")
        self.functions = functions
        super().__init__(pipelined=pipelined)

    def build(self, m: Module) -> None:  # noqa: D102
        cut = self.cuts(m)
        powers = any(name in self.functions for name in POWERS)
        floats = any(name in self.functions for name in PLACES)

        number = unpack(m, self.i, "i")
        function = self.function if len(self.functions) > 1 else Const(0, 1)
        ways: dict[str, Any] = {}
        if powers:
            ways["power"] = function_power.first(m, number)
        if floats:
            ways["float"] = function_float.first(m, number, self._wanted(m, function))
        flags = Flags(number.sign, number.zero, number.infinite, number.nan)
        flags, function, *held = cut(flags=flags, function=function, **ways)
        ways = dict(zip(ways, held, strict=True))

        if powers:
            ways["power"] = function_power.second(m, ways["power"])
        flags, function, *held = cut(flags=flags, function=function, **ways)
        ways = dict(zip(ways, held, strict=True))

        place = cut(place=self._place(m, ways, self._wanted(m, function), flags))

        value = value_on(m, Line(place.base, place.slope, place.t), "value")
        down = place.exponent[-1]
        shift = wire(m, Mux(down, -place.exponent, 0)[:5], "shift")
        exponent = Mux(place.above, ABOVE, Mux(down, 0, place.exponent[:5]))
        value, shift, exponent, above, sign = cut(
            value=value,
            shift=shift,
            exponent=wire(m, exponent, "exponent"),
            above=place.above,
            sign=place.sign,
        )

        up = wire(m, ~value[-1] & exponent.any() & ~above, "up")
        kept = wire(m, Mux(up, value << 1, value >> shift)[1 : len(value)], "kept")
        kept, exponent, above, sign = cut(
            kept=kept, exponent=wire(m, (exponent - up)[:5], "less"), above=above, sign=sign
        )

        # The hidden bit adds the one that the exponent lacks.
        magnitude = Cat(kept[1:] ^ above.replicate(len(kept) - 1), above)
        pattern = magnitude + Cat(Const(0, 10), exponent) + (kept[0] ^ above)
        m.d.comb += self.o.eq(cut(o=Cat(wire(m, pattern[:15], "pattern"), sign)))

    def _wanted(self, m: Module, function: Value) -> Wanted:
        """Return for each function whether it is asked for."""
        if len(self.functions) == 1:
            return {self.functions[0]: Const(1, 1)}
        return {name: wire(m, function == n, f"is_{name}") for n, name in enumerate(self.functions)}

    def _place(self, m: Module, ways: dict[str, Any], wanted: Wanted, flags: Flags) -> Placed:
        """Look up the line of the function that is asked for."""
        options = [
            (wanted[name], place(m, ways["float"], flags))
            for name, place in PLACES.items()
            if name in wanted
        ]
        if "power" in ways:
            power = function_power.place(m, ways["power"], wanted, flags)
            options.append((asked(wanted, *POWERS), power))
        return pick(m, options)
