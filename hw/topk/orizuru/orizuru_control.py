"""What takes k_top outliers of each side out of tournament trees."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data

from golden.exact.spec import require_int
from hw.stream.component import Component, In, Out


class OrizuruControl(Component):
    """Take k_top outliers of each side from a tree's root once a token is complete.

    Parameters
    ----------
    outliers_max : int
        Largest k_top.
    first : int
        Cycles from ``complete`` to the first ``take``, beyond one.
    period : int
        Cycles from one ``take`` of a side to the next, at least.

    Timing
    ------
    Latency : ``first`` + 2 cycles from ``complete`` to ``valid``.
    Rate : a ``take`` of each side every ``period`` cycles while ``ready`` is high.
    Through paths : ``ready`` to ``take`` and ``last``; combinational.
    Reset : drops the token under way.
    """

    k_top = In(lambda c: range(c.outliers_max + 1))
    """Outliers on each side. Steady while a token is under way."""
    complete = In(1)
    """The token's last beat is taken."""
    idle = Out(1)
    """Whether all outliers of complete tokens have left the tree: another one's beats may come."""
    age = Out(lambda c: c.first)
    """Bit n is high n + 1 cycles after ``complete``, unless ``k_top`` is 0."""
    take = Out(2)
    """For the largest and for the smallest: the next one moves into the root's output."""
    last = Out(2)
    """With ``take``: it is the last one of the token."""
    valid = Out(2)
    """Whether the root's output holds an outlier."""
    ready = In(2)
    """Whether it is taken from there."""

    def __init__(self, outliers_max: int, first: int, period: int) -> None:
        require_int("first", first, low=1, high=64)
        require_int("period", period, low=1, high=64)
        self.outliers_max, self.first, self.period = outliers_max, first, period
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        m.d.sync += self.age.eq(Cat(self.complete & (self.k_top != 0), self.age[:-1]))
        lefts = []
        for side in range(2):
            left = Signal(range(self.outliers_max + 1), name=f"left{side}")
            resting = Signal(max(self.period - 1, 1), name=f"resting{side}")
            take, valid = self.take[side], self.valid[side]
            m.d.comb += [
                take.eq((left != 0) & ~resting.any() & (~valid | self.ready[side])),
                self.last[side].eq(left == 1),
            ]
            m.d.sync += [
                left.eq(Mux(self.age[-1], self.k_top, left - take)),
                valid.eq(take | (valid & ~self.ready[side])),
            ]
            if self.period > 1:
                m.d.sync += resting.eq(Cat(take, resting[:-1]))
            lefts.append(left)
        m.d.comb += self.idle.eq(~Cat(self.age, *lefts).any())


def connect_streams(
    m: Module, engine: Any, control: OrizuruControl, fire: Value, root: tuple[data.View, data.View]
) -> None:
    """Connect an engine's streams with its control and with what the root offers on each side.

    ``fire`` is high when a beat is taken. The root's smallest key comes complemented.
    """
    m.d.comb += [
        control.k_top.eq(engine.k_top),
        control.complete.eq(fire & engine.i.payload.last),
        engine.i.ready.eq(control.idle),
    ]
    for side, (o, offer) in enumerate(
        zip((engine.largest_o, engine.smallest_o), root, strict=True)
    ):
        m.d.comb += [
            o.valid.eq(control.valid[side]),
            o.payload.key.eq(~offer.key if side else offer.key),
            o.payload.position.eq(offer.position),
            control.ready[side].eq(o.ready),
        ]
