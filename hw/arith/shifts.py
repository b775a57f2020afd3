"""Barrel shifters shared by the blocks that round into FP16."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike

from hw.arith.wires import wire


def normalise(m: Module, value: Value, name: str, steps: Sequence[int]) -> tuple[Value, Value]:
    """Shift ``value`` left until its top bit is set; return it and by which of the steps.

    With ``steps`` 16, 8, 4, 2, 1 that is enough for 32 bits, and the second result is the
    distance. Zero stays zero at the largest distance.
    """
    taken = []
    for step in steps:
        shifted = Signal(len(value), name=f"{name}_{step}")
        empty = wire(m, ~value[len(value) - step :].any(), f"{name}_empty_{step}")
        m.d.comb += shifted.eq(Mux(empty, value << step, value))
        taken.insert(0, empty)
        value = shifted
    return value, Cat(taken)


def leading_zeros(m: Module, bits: Value, name: str) -> Value:
    """Return how many zeros there are in front of the first one; logarithmic depth.

    ``bits`` are a power of two in number, and one of them at least is set.
    """

    def count(low: int, high: int) -> tuple[Value, list[Value]]:
        """Return whether there is a one, and the number of zeros, its lowest bit first."""
        if high - low == 1:
            return bits[low], []
        middle = (low + high) // 2
        (some, upper), (rest, lower) = count(middle, high), count(low, middle)
        which = [Mux(some, *pair) for pair in zip(upper, lower, strict=True)]
        zeros = wire(m, Cat(*which, ~some), f"{name}_{low}_{high}")
        return wire(m, some | rest, f"{name}_some_{low}_{high}"), list(zeros)

    return Cat(*count(0, len(bits))[1])


def shift_right(
    m: Module, value: Value, distance: Value, name: str, *, sticky: ValueLike = 0
) -> tuple[Value, Value]:
    """Shift ``value`` right by an unsigned distance; return it and whether anything was lost.

    ``sticky`` says what had been lost before.
    """
    lost: ValueLike = sticky
    for stage in range(len(distance)):
        step = min(1 << stage, len(value))
        shifted = Signal.like(value, name=f"{name}_{1 << stage}")
        gone = Signal(name=f"{name}_gone_{1 << stage}")
        m.d.comb += [shifted.eq(value), gone.eq(lost)]
        with m.If(distance[stage]):
            m.d.comb += [shifted.eq(value[step:]), gone.eq(Cat(lost, value[:step]).any())]
        value, lost = shifted, gone
    return value, Value.cast(lost)
