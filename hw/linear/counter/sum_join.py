"""Sum join: main sums and compensation of the same tile become one."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arith.wires import wire
from hw.linear.counter.counter_spec import CounterSpec


class SumJoin(wiring.Component):
    """Add both branches' sums of one tile after another.

    Parameters
    ----------
    spec : CounterSpec
        Lines and widths.

    Ports
    -----
    compensated : In(1)
        Whether tokens have outliers; if not, ``compensation_i`` is not waited for. Steady while
        tokens are under way.
    i : In(stream of spec.tile)
        Sums over all pairs.
    compensation_i : In(stream of spec.compensation_tile)
        Sums over the outliers.
    o : Out(stream of ``tile``)
        Both together, with a carry that is still to be added at ``spec.carry_place``.

    Timing
    ------
    Latency : ``LATENCY`` cycle from the transfers to ``o.valid``.
    Rate : one tile per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready`` and ``compensation_i.ready``, ``i.valid`` to
        ``compensation_i.ready``, ``compensation_i.valid`` to ``i.ready``; combinational.
    Reset : drops the tile in flight.
    """

    LATENCY = 1

    compensated: Signal
    i: stream.Interface
    compensation_i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: CounterSpec) -> None:
        self.spec = spec
        self.tile = data.ArrayLayout(spec.lane_sum, spec.output_lanes)
        ports = {
            "compensated": In(1),
            "i": In(stream.Signature(spec.tile)),
            "compensation_i": In(stream.Signature(spec.compensation_tile)),
            "o": Out(stream.Signature(self.tile)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
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
        return m
