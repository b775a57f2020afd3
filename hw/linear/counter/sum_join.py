"""Sum join: main sums and compensation of the same tile become one."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data

from hw.arith.wires import wire
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, InStream, OutStream, Sized


class SumJoin(Sized[CounterSpec]):
    """Add both branches' sums of one tile after another.

    Timing
    ------
    Latency : ``LATENCY`` cycle from the transfers to ``o.valid``.
    Rate : one tile per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready`` and ``compensation_i.ready``, ``i.valid`` to
        ``compensation_i.ready``, ``compensation_i.valid`` to ``i.ready``; combinational.
    Reset : drops the tile in flight.
    """

    LATENCY = 1

    compensated = In(1)
    """Whether tokens have outliers; if not, ``compensation_i`` is not waited for. Steady while
    tokens are under way.
    """
    i = InStream(lambda c: c.spec.tile)
    """Sums over all pairs."""
    compensation_i = InStream(lambda c: c.spec.compensation_tile)
    """Sums over the outliers."""
    o = OutStream(lambda c: c.tile)
    """Both together, with a carry that is still to be added at ``spec.carry_place``."""

    def __init__(self, spec: CounterSpec) -> None:
        self.tile = data.ArrayLayout(spec.lane_sum, spec.output_lanes)
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        room, take = Signal(), Signal()
        m.d.comb += [
            room.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(room & (self.compensation_i.valid | ~self.compensated)),
            self.compensation_i.ready.eq(room & self.compensated & self.i.valid),
            take.eq(self.i.valid & self.i.ready),
        ]
        with m.If(room):
            m.d.sync += self.o.valid.eq(take)
        for n in range(self.spec.output_lanes):
            main = Signal(signed(self.spec.sum_bits), name=f"main{n}")
            outliers = Signal.like(main, name=f"outliers{n}")
            m.d.comb += [main.eq(self.i.payload[n]), outliers.eq(self.compensation_i.payload[n])]
            # Two halves: the carry between them is added later, as that of an accumulator is.
            place = self.spec.carry_place
            low = wire(m, main[:place] + outliers[:place], f"low{n}")
            high = wire(m, (main[place:] + outliers[place:])[: len(main) - place], f"high{n}")
            with m.If(room):
                m.d.sync += [
                    self.o.payload[n].sum.eq(Mux(self.compensated, Cat(low[:place], high), main)),
                    self.o.payload[n].carry.eq(self.compensated & low[place]),
                ]
