"""Addition in FP16."""

from typing import ClassVar, NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.fp16_parts import (
    Cut,
    Number,
    Special,
    Window,
    keep,
    pack,
    registers,
    round_to_nearest,
    shift_down,
    shift_up,
    unpack,
)

WIDTH = 14  # a carry, a mantissa, and two bits below it


class Aligned(NamedTuple):
    """The term with the larger exponent, and how far down the other belongs."""

    large: Value
    small: Value
    distance: Value
    limit: Value


class Fp16Add(wiring.Component):
    """Add two numbers.

    Bit-exact with :func:`golden.fp16_arithmetic.add`: to nearest, ties to even, with subnormals,
    signed zeros and infinities; every NaN is 0x7e00.

    Parameters
    ----------
    pipelined : bool
        Whether there are registers between the steps and behind the last one. They take new
        values in every cycle; ``EnableInserter`` makes them wait.

    Ports
    -----
    a : In(16)
        One term, an FP16 pattern.
    b : In(16)
        The other.
    o : Out(16)
        FP16 pattern of the sum.

    Timing
    ------
    Latency : ``latency`` cycles: 0, or ``STAGES`` if pipelined.
    Rate : one sum per cycle.
    Through paths : ``a`` and ``b`` to ``o``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    STAGES: ClassVar[int] = 4

    a: Signal
    b: Signal
    o: Signal

    def __init__(self, *, pipelined: bool = False) -> None:
        self.pipelined = pipelined
        self.latency = self.STAGES if pipelined else 0
        ports = {"a": In(16), "b": In(16), "o": Out(16)}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        cut: Cut = registers(m) if self.pipelined else keep

        a, b = unpack(m, self.a, "a"), unpack(m, self.b, "b")
        special, large, small, distance, limit = self._order(m, a, b)
        lost: Value = Const(0, 1)
        for index in (0, 1):
            small, lost = shift_down(m, small, lost, 1 << index, distance[index], "small")
        special, large, small, distance, limit, lost = cut(
            special=special,
            large=large,
            small=small,
            distance=distance[2:],
            limit=limit,
            lost=lost,
        )

        for index in (2, 3, 4):
            wanted = distance[index - 2]
            small, lost = shift_down(m, small, lost, 1 << index, wanted, "small")
        total = Signal(WIDTH)
        addend = small ^ special.subtract.replicate(WIDTH)
        m.d.comb += total.eq(Cat(Const(0, 2), large) + addend + (special.subtract & ~lost))
        negative = total[-1] & special.subtract
        window = Window(negative, total, lost, limit)
        special, window = cut(special=special, window=window)

        for step in (8, 4, 2, 1):
            window = shift_up(m, window, step)
        special, window = cut(special=special, window=window)

        rounded = round_to_nearest(m, window)
        m.d.comb += self.o.eq(cut(o=pack(m, rounded, window.negative, special)))
        return m

    @staticmethod
    def _order(m: Module, a: Number, b: Number) -> tuple[Special, Value, Value, Value, Value]:
        apart = Signal(6)
        m.d.comb += apart.eq(a.exponent - b.exponent)
        swap = apart[5]
        # Turned over, a negative difference is one short: that one is in how ``a`` is chosen.
        distance = apart[:5] ^ swap.replicate(5)
        large, small = Signal(11), Signal(WIDTH)
        limit = Signal(5)
        m.d.comb += [
            large.eq(Mux(swap, b.mantissa, a.mantissa)),
            small.eq(Mux(swap, Cat(Const(0, 1), a.mantissa), Cat(Const(0, 2), b.mantissa))),
            limit.eq(Mux(swap, b.exponent, a.exponent)),
        ]
        subtract = a.sign ^ b.sign
        special = Special(
            sign=Mux(swap, b.sign, a.sign),
            subtract=subtract,
            infinite=a.infinite | b.infinite,
            nan=a.nan | b.nan | (a.infinite & b.infinite & subtract),
        )
        return special, large, small, distance, limit
