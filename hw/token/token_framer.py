"""Framing: tells where tokens end, and cleans each activation."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.arith.bits import used_lanes
from hw.engine_spec import EngineSpec
from hw.formats import KEY
from hw.fp16.fp16_key import Fp16Key
from hw.stream.component import In, InStream, Out, OutStream, Sized


class TokenFramer(Sized[EngineSpec]):
    """Number the beats of a token, mark the last, and give each activation its key.

    Lanes beyond K in the last beat come out as zero, with their mask bit clear.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer on ``i`` to ``o.valid``.
    Rate : one beat per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready`` and ``started``, ``i.valid`` to ``started``;
        combinational.
    Reset : drops the beat in flight; the next one is a token's first.
    """

    LATENCY = 1

    inputs = In(lambda c: range(c.spec.inputs_max + 1))
    """K, the token's length, at least 1. Steady while tokens are under way."""
    i = InStream(lambda c: c.lanes)
    """FP16 patterns, lane 0 lowest."""
    o = OutStream(lambda c: c.beat)
    """The same without NaN, infinity and -0; their keys; which lanes count; the beat's number in
    the token; whether it is the last; whether NaN or infinity was replaced.
    """
    started = Out(1)
    """Strobe: a token's first beat is taken."""

    def __init__(self, spec: EngineSpec) -> None:
        lanes = spec.inputs_per_beat
        self.lanes = data.ArrayLayout(16, lanes)
        self.beat = data.StructLayout(
            {
                "lanes": self.lanes,
                "keys": data.ArrayLayout(KEY, lanes),
                "mask": lanes,
                "address": range(max(spec.beats_max, 2)),
                "last": 1,
                "nonfinite": 1,
            }
        )
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        lanes = self.spec.inputs_per_beat
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)

        address = Signal.like(self.o.payload.address)
        last = Signal()
        mask = Signal(lanes)
        m.d.comb += [
            last.eq(((address + 1) << exact_log2(lanes)) >= self.inputs),
            mask.eq(used_lanes(last, self.inputs, lanes)),
        ]
        nonfinite = Signal(lanes)
        transfer = self.i.valid & self.i.ready
        for n in range(lanes):
            key = self.put(m, f"key{n}", Fp16Key(), bits=Mux(mask[n], self.i.payload[n], 0))
            m.d.comb += nonfinite[n].eq(key.nonfinite)
            with m.If(transfer):
                m.d.sync += [
                    self.o.payload.lanes[n].eq(key.clean),
                    self.o.payload.keys[n].eq(key.key),
                ]
        m.d.comb += self.started.eq(transfer & (address == 0))
        with m.If(advance):
            m.d.sync += self.o.valid.eq(self.i.valid)
        with m.If(transfer):
            m.d.sync += [
                address.eq(Mux(last, 0, address + 1)),
                self.o.payload.mask.eq(mask),
                self.o.payload.address.eq(address),
                self.o.payload.last.eq(last),
                self.o.payload.nonfinite.eq(nonfinite.any()),
            ]
