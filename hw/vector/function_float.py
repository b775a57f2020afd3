"""Reciprocal, rsqrt, tanh and erf: the line that a mantissa lies on in its binade."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Value

from golden.exact.functions import (
    BIAS,
    ERF,
    ERF_BINADES,
    FLAT,
    RECIPROCAL,
    RSQRT,
    TANH,
    TANH_BINADES,
)
from hw.arith.shifts import normalise
from hw.arith.wires import wire
from hw.fp16.fp16_parts import MANTISSA, Number
from hw.vector.function_parts import (
    EXPONENT_BITS,
    Flags,
    Placed,
    Wanted,
    asked,
    placed,
)
from hw.vector.segments import Line, look_up

FALLING = ("reciprocal", "rsqrt")
LEAST, MOST = BIAS + FLAT, BIAS - 2  # exponents from which, and up to which, a scale changes


class Float(NamedTuple):
    """A number whose first one is at its mantissa's top where the function needs that."""

    mantissa: Value
    exponent: Value  # biased


def first(m: Module, number: Number, wanted: Wanted) -> Float:
    """Bring up the first one of the mantissa for the functions that fall."""
    mantissa, exponent = number.mantissa, number.exponent
    if any(name in wanted for name in FALLING):
        falls = asked(wanted, *FALLING)
        up, by = normalise(m, mantissa, "mantissa", (8, 4, 2, 1))
        mantissa = Mux(falls, up, mantissa)
        exponent = exponent - Mux(falls, by, 0)
    return Float(
        wire(m, mantissa[:MANTISSA], "float_mantissa"),
        wire(m, exponent.as_signed()[:EXPONENT_BITS].as_signed(), "float_exponent"),
    )


def reciprocal(m: Module, x: Float, flags: Flags) -> Placed:
    """Look up 1 / x."""
    fraction, exponent = ~x.mantissa[:10], x.exponent.as_signed()
    t = Cat(Const(-1, 3), fraction[:5])
    return placed(
        m,
        "reciprocal",
        look_up(m, fraction[5:], t, "reciprocal", RECIPROCAL),
        exponent=2 * BIAS - 2 - exponent,
        sign=flags.sign,
        nan=flags.nan,
        infinite=flags.zero | (exponent < -1),
        zero=flags.infinite,
    )


def rsqrt(m: Module, x: Float, flags: Flags) -> Placed:
    """Look up 1 / sqrt(x)."""
    fraction, exponent = ~x.mantissa[:10], x.exponent.as_signed()
    odd = ~exponent[0]
    t = Cat(Const(-1, 2), fraction[:6])
    return placed(
        m,
        "rsqrt",
        look_up(m, Cat(fraction[6:], odd), t, "rsqrt", RSQRT),
        exponent=BIAS - 2 - ((exponent - BIAS) >> 1),
        sign=flags.sign,
        nan=flags.nan | (flags.sign & ~flags.zero),
        infinite=flags.zero,
        zero=flags.infinite,
    )


def _in_binade(x: Float, row: Value) -> tuple[Value, Value]:
    """Return index and t in a table by binades."""
    return Cat(x.mantissa[6:10], row), Cat(Const(0, 2), x.mantissa[:6])


def tanh(m: Module, x: Float, flags: Flags) -> Placed:
    """Look up the hyperbolic tangent; small numbers stay what they are."""
    exponent = x.exponent[:5]
    row = (exponent - (BIAS + TANH_BINADES.start))[:4]
    line = look_up(m, *_in_binade(x, row), "tanh", TANH)
    same = wire(m, exponent <= LEAST, "tanh_same")
    line = Line(
        Mux(same, Cat(Const(0, 2), x.mantissa), line.base),
        line.slope & ~same.replicate(len(line.slope)),
        line.t,
    )
    return placed(
        m,
        "tanh",
        line,
        exponent=Mux(exponent > MOST, MOST, exponent - 1),
        sign=flags.sign,
        nan=flags.nan,
        one=exponent > BIAS + TANH_BINADES[-1],
    )


def erf(m: Module, x: Float, flags: Flags) -> Placed:
    """Look up the error function, of small numbers in two rows: without hidden bit, and with it."""
    exponent = x.exponent[:5]
    row = Mux(exponent > LEAST, exponent - (LEAST - 1), x.mantissa[10])[:4]
    return placed(
        m,
        "erf",
        look_up(m, *_in_binade(x, row), "erf", ERF),
        exponent=Mux(exponent > MOST, MOST, exponent),
        sign=flags.sign,
        nan=flags.nan,
        one=exponent > BIAS + ERF_BINADES[-1],
    )


PLACES = {place.__name__: place for place in (reciprocal, rsqrt, tanh, erf)}
