"""Output scaler: an exact sum becomes an FP16 number, rounded once."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.fp16 import INFINITY
from golden.spec import SCALE_BITS
from hw.common.pipeline import stage
from hw.common.shifts import normalise, shift_right
from hw.engine_spec import CHANNEL, SCALE, EngineSpec

# Half of the smallest FP16 step decides a rounding, together with whether there is anything below.
UNIT = -25
# From 2**17 on the result is infinite whatever the bias.
BEYOND = 17
WHOLE_BITS = BEYOND - UNIT


class OutputScaler(wiring.Component):
    """Compute FP16(sum * s_a * s_w + bias), to nearest, ties to even.

    Bit-exact with :func:`golden.fp16.round_scaled_sum`.

    Parameters
    ----------
    spec : EngineSpec
        Says how wide a sum is.

    Ports
    -----
    i : In(stream of ``term``)
        ``sum`` in table units, the token's ``scale``, the output ``channel``'s parameters,
        whether the result is ``used``, and ``last``, which is passed on.
    o : Out(stream of ``result``)
        FP16 pattern ``y``, whether it is used and ``infinite``, and ``last``.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one sum per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the sums in flight.
    """

    LATENCY = 8

    i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.term = data.StructLayout(
            {"sum": signed(spec.sum_bits), "scale": SCALE, "channel": CHANNEL, "used": 1, "last": 1}
        )
        self.result = data.StructLayout({"y": 16, "infinite": 1, "last": 1})
        ports = {
            "i": In(stream.Signature(self.term)),
            "o": Out(stream.Signature(self.result)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)

        valid, last, used = (Signal(self.LATENCY, name=n) for n in ("valid", "last", "used"))
        with m.If(advance):
            m.d.sync += [
                valid.eq(Cat(self.i.valid, valid)),
                last.eq(Cat(self.i.payload.last, last)),
                used.eq(Cat(self.i.payload.used, used)),
            ]
        m.d.comb += [self.o.valid.eq(valid[-1]), self.o.payload.last.eq(last[-1])]

        product, exponent, negative, bias = self._multiply(m, advance)
        whole, beyond = self._align(m, advance, product, exponent)
        negative, bias = (stage(m, advance, value) for value in (negative, bias))
        total, sign = self._add_bias(m, advance, whole, negative, bias)
        for _ in range(3):
            beyond, negative = (stage(m, advance, value) for value in (beyond, negative))
        sign = Mux(beyond, negative, stage(m, advance, sign))  # beyond, the total means nothing
        pattern = self._round(m, advance, total)
        infinite = beyond | (pattern >= INFINITY)
        with m.If(advance):
            m.d.sync += [
                self.o.payload.infinite.eq(infinite & used[-2]),
                self.o.payload.y.eq(Cat(Mux(infinite, INFINITY, pattern)[:15], sign)),
            ]
        return m

    def _multiply(self, m: Module, advance) -> tuple[Signal, ...]:
        """Stages 1 to 3: the sum's magnitude times both mantissas, in two halves."""
        term = self.i.payload
        magnitude = stage(m, advance, abs(term.sum)[: self.spec.sum_bits - 1])
        scale = stage(m, advance, term.scale.mantissa * term.channel.mantissa)
        low = stage(m, advance, magnitude * scale[:SCALE_BITS])
        high = stage(m, advance, magnitude * scale[SCALE_BITS:])
        product = stage(m, advance, low + (high << SCALE_BITS))
        others = (
            term.scale.exponent + term.channel.exponent,
            term.sum < 0,
            term.channel.bias,
        )
        for _ in range(3):
            others = tuple(stage(m, advance, value) for value in others)
        return product, *others  # pyright: ignore[reportReturnType]

    def _align(self, m: Module, advance, product: Signal, exponent: Signal) -> tuple:
        """Stage 4: the product in half units of 2**UNIT, and what is beyond.

        The lowest bit says that there is more below.
        """
        wide = Signal(len(product) + WHOLE_BITS)
        m.d.comb += wide.eq(product << WHOLE_BITS)
        # Beyond the product's own bits to the right, or as many to the left, nothing changes.
        distance = Signal(signed(len(exponent) + 2))
        m.d.comb += distance.eq(BEYOND - exponent)
        right = Signal(7)
        m.d.comb += right.eq(Mux(distance < 0, 0, Mux(distance > 127, 127, distance)))
        shifted, lost = shift_right(m, wide, right, "aligned")
        return (
            stage(m, advance, Cat(lost, shifted[:WHOLE_BITS])),
            stage(m, advance, shifted[WHOLE_BITS:].any()),
        )

    @staticmethod
    def _add_bias(m: Module, advance, whole: Signal, negative: Signal, bias: Signal) -> tuple:
        """Stages 5 and 6: the bias added exactly; magnitude and sign of the total."""
        exponent = bias[10:15]
        mantissa = Cat(bias[:10], exponent.any())
        units = (mantissa << Mux(exponent.any(), exponent - 1, 0)[:5]) << (-24 - UNIT + 1)
        # Relative to the product's sign, so that one adder does.
        total = stage(m, advance, Mux(negative ^ bias[15], whole - units, whole + units))
        sign = stage(m, advance, negative)
        return (
            stage(m, advance, abs(total)[: WHOLE_BITS + 2]),
            stage(m, advance, (sign ^ (total < 0)) & (total != 0)),
        )

    @staticmethod
    def _round(m: Module, advance, total: Signal) -> Signal:
        """Stages 7 and 8: the FP16 magnitude nearest to the total, ties to even."""
        # 31 places at most: what is still not normalised then is subnormal, and in its place.
        normal, zeros = normalise(m, total, "normal", stages=5)
        low = len(normal) - SCALE_BITS
        kept = normal[low:]
        # Each doubling adds 1024; the hidden bit adds the first. A carry goes where it should.
        pattern = stage(m, advance, ((31 - zeros) << 10) + kept)
        up = stage(m, advance, normal[low - 1] & (normal[: low - 1].any() | kept[0]))
        rounded = Signal(16)
        m.d.comb += rounded.eq(pattern + up)
        return rounded
