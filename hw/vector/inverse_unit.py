"""Inverse of a sum, or of its square root, as a scale."""

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data

from golden.exact.functions import RECIPROCAL, RSQRT, SEGMENT_BITS, T_BITS, UNIT_BITS
from golden.exact.norms import HEAD_BITS
from golden.exact.spec import SCALE_BITS, require_int
from hw.arith.bits import choose, first_one
from hw.arith.shifts import normalise
from hw.arith.wires import wire
from hw.formats import A_EXPONENT, SCALE
from hw.stream.component import Component, InStream, OutStream
from hw.stream.pipeline import Pipeline, flow
from hw.vector.segments import SLOPE_BITS, VALUE_BITS, Line, look_up, value_on

BYTE = 8
FRACTION = HEAD_BITS - 1
WINDOW = HEAD_BITS + BYTE - 1  # bits from the first byte that is not zero on


class InverseUnit(Component):
    """Divide 1 by a sum in units of 2**-24, or by the root of one in units of 2**-30.

    Bit-exact with :func:`golden.exact.norms.inverse` and ``inverse_root``. A table of straight
    lines and one multiplier for both.

    Parameters
    ----------
    bits : int
        Of the sum: 24 to 80.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one scale per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the sums in flight.
    """

    LATENCY = 4

    i = InStream(lambda c: c.sum)
    """A sum, and whether ``root`` is wanted of it."""
    o = OutStream(SCALE)
    """The scale: mantissa (1024 to 2047) and exponent."""

    def __init__(self, bits: int) -> None:
        require_int("bits", bits, low=24, high=80)
        self.bits = bits
        self.sum = data.StructLayout({"total": bits, "root": 1})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        pipe = Pipeline(m, flow(m, self.i, self.o, self.LATENCY))
        (total,) = pipe.start(self.i.payload)
        window = pipe.stage(lambda payload: self._coarse(m, payload), total)
        placed = pipe.stage(lambda window: self._place(m, window), window)
        value = pipe.stage(lambda placed: self._value(m, placed), placed)
        m.d.comb += self.o.payload.eq(pipe.stage(lambda value: self._scale(m, value), value).value)

    def _coarse(self, m: Module, payload: Value) -> Value:
        """Return the bits from the first byte on that has a one, and which byte that is.

        Of a sum of 0 none has: what follows takes that for the lowest byte, and for a 1 in it.
        """
        total, root = payload[: self.bits], payload[self.bits]
        count = -(-self.bits // BYTE)
        whole = Cat(Const(0, WINDOW - BYTE), total, Const(0, count * BYTE - self.bits))
        some = Cat(
            whole[WINDOW - BYTE :].word_select(n, BYTE).any() for n in reversed(range(count))
        )
        first = first_one(m, some, "first_byte")
        starts = [(count - 1 - n) * BYTE for n in range(count)]
        window = choose(*((first[n], whole[at : at + WINDOW]) for n, at in enumerate(starts)))
        place = choose(*((first[n], Const(at // BYTE, 4)) for n, at in enumerate(starts)))
        return Cat(root, place, window)

    def _place(self, m: Module, held: Value) -> Value:
        """Return the line that the bits after the first one lie on, and the exponent."""
        root, place, window = held[0], held[1:5], held[5:]
        head, zeros = normalise(m, window, "head", (4, 2, 1))
        lacks = wire(m, ~head[-HEAD_BITS:-1], "lacks")
        # A root's table tells apart one bit less, and whether the exponent is odd.
        segment = Mux(
            root,
            Cat(lacks[-SEGMENT_BITS:], ~zeros[0], 1),
            Cat(lacks[T_BITS:], 0),
        )
        t = Mux(root, lacks[1 : 1 + T_BITS], lacks[:T_BITS])
        line = look_up(m, segment, t, "inverse", RECIPROCAL, RSQRT)
        exponent = Mux(root, 1 + (zeros >> 1) - (place << 2), 6 + zeros - (place << 3))
        return Cat(line.base, line.slope, line.t, exponent[: A_EXPONENT.width])

    def _value(self, m: Module, held: Value) -> Value:
        """Return the value on the line, and the exponent."""
        base, rest = held[:VALUE_BITS], held[VALUE_BITS:]
        line = Line(base, rest[:SLOPE_BITS], rest[SLOPE_BITS : SLOPE_BITS + T_BITS])
        return Cat(value_on(m, line, "value"), rest[SLOPE_BITS + T_BITS :])

    def _scale(self, m: Module, held: Value) -> Value:
        """Round the value, halves up: to 2 at most."""
        value, exponent = held[:VALUE_BITS], held[VALUE_BITS:]
        drop = UNIT_BITS + 1 - SCALE_BITS
        rounded = wire(m, value[drop:] + value[drop - 1], "rounded")
        carry = rounded[SCALE_BITS]
        mantissa = Cat(rounded[: SCALE_BITS - 1], 1)
        return Cat(mantissa, (exponent + carry)[: A_EXPONENT.width])
