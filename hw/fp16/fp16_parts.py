"""What the FP16 units have in common: fields of a number, and a sum's way back into FP16."""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from hw.arith.wires import wire

BIAS = 15
MANTISSA = 11  # bits of a mantissa, its hidden one included
GUARDED = MANTISSA + 1  # and the bit after it, which rounding looks at

# Takes values by name and returns those that the next step starts from, in the same order.
Cut = Callable[..., Any]


def keep(**values: Any) -> Any:
    """Return the values as they are: a cut of a unit that has no registers."""
    return _alone_or_all(list(values.values()))


def registers(m: Module) -> Cut:
    """Return a cut that holds each value in a register, also within named tuples.

    The registers of its first call are called ``s1_`` and the value's name, those of the second
    ``s2_``, and so on.
    """
    stages = itertools.count(1)

    def hold(value: Any, name: str) -> Any:
        if isinstance(value, tuple):
            named: Any = value
            fields = named._asdict().items()
            return type(value)(*(hold(part, f"{name}_{field}") for field, part in fields))
        held = Signal.like(value, name=name, reset_less=True)
        m.d.sync += held.eq(value)
        return held

    def cut(**values: Any) -> Any:
        stage = next(stages)
        return _alone_or_all([hold(value, f"s{stage}_{name}") for name, value in values.items()])

    return cut


def _alone_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


class Number(NamedTuple):
    """The fields of an FP16 number; of a finite one ``mantissa * 2**(exponent - 25)`` is |x|."""

    sign: Value
    exponent: Value  # 1 to 31; subnormals have 1
    mantissa: Value
    zero: Value
    infinite: Value
    nan: Value


def unpack(m: Module, bits: Value, name: str) -> Number:
    """Return the fields of an FP16 pattern."""
    normal = wire(m, bits[10:15].any(), f"{name}_normal")
    top = wire(m, bits[10:15].all(), f"{name}_top")
    rest = wire(m, bits[:10].any(), f"{name}_rest")
    return Number(
        sign=bits[15],
        exponent=wire(m, Cat(bits[10] | ~normal, bits[11:15]), f"{name}_exponent"),
        mantissa=Cat(bits[:10], normal),
        zero=wire(m, ~normal & ~rest, f"{name}_zero"),
        infinite=wire(m, top & ~rest, f"{name}_infinite"),
        nan=wire(m, top & rest, f"{name}_nan"),
    )


def shift_down(
    m: Module, bits: Value, sticky: Value, step: int, wanted: Value, name: str
) -> tuple[Value, Value]:
    """Shift down by ``step`` if wanted; return the bits and whether any was lost by now."""
    shifted = wire(m, Mux(wanted, bits >> step, bits), f"{name}_{step}")
    return shifted, wire(m, sticky | (wanted & bits[:step].any()), f"{name}_lost_{step}")


class Special(NamedTuple):
    """What decides a result beside its magnitude."""

    sign: Value  # of a result that is not negated
    subtract: Value  # whether magnitudes are subtracted: an exact zero is then +0
    infinite: Value  # whether an operand is
    nan: Value


class Window(NamedTuple):
    """A number on its way to FP16: two's complement in ``1 + len(bits)`` bits, and a rest."""

    negative: Value
    bits: Value
    sticky: Value  # whether anything is left below the bits
    limit: Value  # biased exponent of the first bit, less 1: how far the number may go up


def may_rise(m: Module, window: Window, step: int) -> Value:
    """Return whether neither a significant bit nor the limit forbids to go up by ``step``."""
    top = Cat(window.bits[len(window.bits) - step :], window.negative)
    run = wire(m, top.all() | ~top.any(), f"run_{step}")
    return wire(m, run & window.limit[step.bit_length() - 1 :].any(), f"take_{step}")


def shift_up(m: Module, window: Window, step: int, take: Value | None = None) -> Window:
    """Shift up by ``step``, a power of two, where it may; ``take`` is :func:`may_rise`.

    Called with each power from the largest to 1, that leaves the first bit significant, or the
    limit at 0: the number is subnormal then, or zero. Bits that no smaller step can bring up to
    the guard bit go into ``sticky``.
    """
    negative, bits, sticky, limit = window
    take = may_rise(m, window, step) if take is None else take
    drop = max(len(bits) - (GUARDED + step - 1), 0)
    lost = Mux(take, bits[: max(drop - step, 0)].any(), bits[:drop].any())
    rest = limit - (take << step.bit_length() - 1)
    return Window(
        negative,
        wire(m, Mux(take, (bits << step)[: len(bits)], bits)[drop:], f"bits_{step}"),
        wire(m, sticky | lost, f"lost_{step}"),
        wire(m, rest[: len(limit)], f"limit_{step}"),
    )


class Rounded(NamedTuple):
    """A magnitude in FP16: ``exponent`` may be too large for it."""

    fraction: Value
    exponent: Value
    zero: Value  # whether the number was zero before it was rounded


def round_to_nearest(m: Module, window: Window) -> Rounded:
    """Round what has gone through every :func:`shift_up`, ties to even, and drop its sign.

    Rounding to nearest even is symmetric, so a negative number is rounded as it is and then
    negated, and both take one increment: -(kept + up) = ~kept + (1 - up).
    """
    guard, kept = window.bits[0], window.bits[1:]
    up = guard & (kept[0] | window.sticky)
    mantissa = wire(m, kept ^ window.negative.replicate(MANTISSA), "mantissa")
    fraction = wire(m, mantissa[:10] + (up ^ window.negative), "fraction")
    # Without a hidden bit it is subnormal or zero, and the exponent field is 0.
    limit = Mux(mantissa[10], window.limit, 0)
    exponent = wire(m, limit + mantissa[10] + fraction[10], "exponent")
    zero = wire(m, ~(window.bits.any() | window.sticky | window.negative), "zero")
    return Rounded(fraction[:10], exponent, zero)


def pack(m: Module, rounded: Rounded, negative: Value, special: Special) -> Value:
    """Return the pattern of a result: too large becomes infinity, NaN is 0x7e00."""
    exponent = rounded.exponent
    infinite = special.infinite | exponent[5:].any() | exponent[:5].all()
    beyond = wire(m, infinite | special.nan, "beyond")
    fraction = rounded.fraction & ~beyond.replicate(10)
    plus_zero = special.subtract & rounded.zero & ~special.infinite
    sign = (special.sign ^ (negative & ~special.infinite)) & ~plus_zero & ~special.nan
    return Cat(fraction[:9], fraction[9] | special.nan, exponent[:5] | beyond.replicate(5), sign)


def finish(m: Module, cut: Cut, window: Window, special: Special) -> Value:
    """Take the last steps, two stages of a pipeline: up by less than 16, round and pack."""
    for step in (8, 4, 2):
        window = shift_up(m, window, step)
    window, special, take = cut(window=window, special=special, take=may_rise(m, window, 1))
    window = shift_up(m, window, 1, take)
    rounded = round_to_nearest(m, window)
    return cut(o=pack(m, rounded, window.negative, special))
