"""Sum of a token's absolute values, exactly."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.engine_spec import EngineSpec

UNIT_BITS = 40  # |x| in units of 2**-24
HALF = UNIT_BITS // 2


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

    LATENCY = 3

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

        # Halves of the units add up side by side, and meet when the token is complete: the
        # carry has half as far to go.
        units = [self._units(m, n) for n in range(self.spec.inputs_per_beat)]
        halves = [[u[:HALF] for u in units], [u[HALF:] for u in units]]
        bits = self.spec.total_bits - HALF
        beat_sums = [Signal(HALF + exact_log2(len(units)), name=f"beat_sum{n}") for n in range(2)]
        totals = [Signal(bits, name=f"total{n}") for n in range(2)]
        following = [Signal(bits, name=f"following{n}") for n in range(2)]
        complete = [Signal(bits, name=f"complete{n}") for n in range(2)]
        beat_valid, beat_last, complete_valid = Signal(), Signal(), Signal()
        for n in range(2):
            m.d.comb += following[n].eq(totals[n] + beat_sums[n])
        with m.If(advance):
            m.d.sync += [
                [
                    beat_sum.eq(_add(terms))
                    for beat_sum, terms in zip(beat_sums, halves, strict=True)
                ],
                beat_valid.eq(self.i.valid),
                beat_last.eq(self.i.payload.last),
                complete_valid.eq(beat_valid & beat_last),
                self.o.valid.eq(complete_valid),
                self.o.payload.eq(complete[0] + (complete[1] << HALF)),
            ]
            with m.If(beat_valid):
                for n in range(2):
                    m.d.sync += [
                        totals[n].eq(Mux(beat_last, 0, following[n])),
                        complete[n].eq(following[n]),
                    ]
        return m

    def _units(self, m: Module, lane: int) -> Signal:
        """Return |x| of a lane in units of 2**-24."""
        bits = self.i.payload.lanes[lane]
        exponent = bits[10:15]
        # Subnormals share the exponent of the smallest normal numbers.
        mantissa = Cat(bits[:10], exponent.any())
        units = Signal(UNIT_BITS, name=f"units{lane}")
        m.d.comb += units.eq(mantissa << Mux(exponent.any(), exponent - 1, 0)[:5])
        return units


def _add(terms: list):
    """Return the sum of a power of two of terms, in pairs."""
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]
