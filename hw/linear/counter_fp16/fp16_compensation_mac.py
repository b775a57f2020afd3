"""Compensation MAC: what outliers add to output channels, in FP16."""

from amaranth.hdl import Module, Mux, Signal

from golden.exact.fp16_arithmetic import SIGN
from golden.exact.spec import require_int
from hw.fp16.fp16_fma import Fp16Fma
from hw.stream.component import Component, In, Out
from hw.stream.pipeline import later


class Fp16CompensationMac(Component):
    """Add error times weight to the sums of ``slots`` output channels in turn.

    Bit-exact with :func:`golden.exact.counter_fp16.compensation`. A sum needs the one before it,
    which takes as many cycles as the multiply-add has stages; meanwhile the other channels have
    their turn. The sums live in the pipeline itself: the channel in slot n has every ``slots``-th
    cycle from cycle n on. In a turn without an outlier the product is -0, which changes no sum.

    Parameters
    ----------
    slots : int
        Output channels in turn, ``SLOTS_MIN`` to 64.

    Timing
    ------
    Latency : ``LATENCY`` cycles from an error to the sum that has it.
    Rate : one multiply-add per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a sum.
    """

    LATENCY = Fp16Fma.STAGES
    SLOTS_MIN = Fp16Fma.STAGES

    error = In(16)
    """FP16 pattern of an outlier's error."""
    weight = In(16)
    """FP16 weight of the outlier's input and this slot's output channel."""
    live = In(1)
    """Whether the next cycle's turn has an outlier; if not, that slot's sum stays."""
    first = In(1)
    """Starts that slot's sum anew, from +0."""
    total = Out(16)
    """FP16 pattern of the sum."""

    def __init__(self, slots: int) -> None:
        require_int("slots", slots, low=self.SLOTS_MIN, high=64)
        self.slots = slots
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        fma = self.put(m, "fma", Fp16Fma(pipelined=True))
        # Registers of its own: many MACs share the inputs.
        live, first = Signal(), Signal()
        m.d.sync += [live.eq(self.live), first.eq(self.first)]
        before = later(m, fma.o, self.slots - self.LATENCY)
        m.d.comb += [
            fma.a.eq(Mux(live, self.error, SIGN)),
            fma.b.eq(Mux(live, self.weight, 0)),
            fma.c.eq(before & ~first.replicate(16)),
            self.total.eq(fma.o),
        ]
