"""Sum of a token's absolute values, exactly."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.engine_spec import EngineSpec

UNIT_BITS = 40  # |x| in units of 2**-24


class AbsoluteSum(wiring.Component):
    """Add up |x| over the beats of a token, in units of 2**-24.

    Bit-exact with the sum of :func:`golden.fp16.units`. One adder tree, no multiplier.

    Parameters
    ----------
    spec : EngineSpec
        Lanes and the longest token.

    Ports
    -----
    i : In(stream of ``beat``)
        Finite FP16 patterns, lane 0 lowest; ``last`` marks the token's last beat.
    o : Out(stream of unsigned(spec.total_bits))
        One sum per token.

    Timing
    ------
    Latency : ``LATENCY`` cycles from the transfer of the last beat to ``o.valid``.
    Rate : one beat per cycle while ``o`` is not waiting.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the token under way.
    """

    LATENCY = 2

    i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        lanes = data.ArrayLayout(16, spec.inputs_per_beat)
        self.beat = data.StructLayout({"lanes": lanes, "last": 1})
        ports = {
            "i": In(stream.Signature(self.beat)),
            "o": Out(stream.Signature(spec.total_bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)

        terms = []
        for n in range(self.spec.inputs_per_beat):
            bits = self.i.payload.lanes[n]
            exponent = bits[10:15]
            # Subnormals share the exponent of the smallest normal numbers.
            mantissa = Cat(bits[:10], exponent.any())
            term = Signal(UNIT_BITS, name=f"units{n}")
            m.d.comb += term.eq(mantissa << Mux(exponent.any(), exponent - 1, 0)[:5])
            terms.append(term)
        while len(terms) > 1:
            terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]

        beat_sum = Signal(len(terms[0]))
        beat_valid = Signal()
        beat_last = Signal()
        total = Signal(self.spec.total_bits)
        with m.If(advance):
            m.d.sync += [
                beat_sum.eq(terms[0]),
                beat_valid.eq(self.i.valid),
                beat_last.eq(self.i.payload.last),
                self.o.valid.eq(beat_valid & beat_last),
            ]
            with m.If(beat_valid):
                m.d.sync += total.eq(Mux(beat_last, 0, total + beat_sum))
                with m.If(beat_last):
                    m.d.sync += self.o.payload.eq(total + beat_sum)
        return m
