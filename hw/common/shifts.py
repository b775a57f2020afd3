"""Barrel shifters shared by the blocks that round into FP16."""

from amaranth.hdl import Cat, Module, Signal, ValueLike
from amaranth.utils import ceil_log2


def normalise(
    m: Module, value: Signal, name: str, *, stages: int | None = None
) -> tuple[Signal, Signal]:
    """Shift ``value`` left until its top bit is set; return it and by how far.

    The distance goes up to 2**stages - 1; by default that is enough for every value but zero,
    which stays zero at the largest distance.
    """
    distance = Signal(stages or ceil_log2(len(value)), name=f"{name}_zeros")
    for stage in reversed(range(len(distance))):
        step = 1 << stage
        shifted = Signal.like(value, name=f"{name}_{step}")
        empty = ~value[len(value) - step :].any()
        m.d.comb += [distance[stage].eq(empty), shifted.eq(value)]
        with m.If(empty):
            m.d.comb += shifted.eq(value << step)
        value = shifted
    return value, distance


def shift_right(
    m: Module, value: Signal, distance: Signal, name: str, *, sticky: ValueLike = 0
) -> tuple[Signal, Signal]:
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
            m.d.comb += [
                shifted.eq(value[step:]),
                gone.eq(Cat(lost, value[:step]).any()),
            ]
        value, lost = shifted, gone
    assert isinstance(lost, Signal), "a distance has at least one bit"
    return value, lost
