"""Output scaler: an exact sum becomes an FP16 number, rounded once."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.fp16 import INFINITY
from golden.spec import SCALE_BITS
from hw.engine_spec import CHANNEL, SCALE, EngineSpec
from hw.shifts import normalise, shift_right

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

    LATENCY = 5

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
        whole, lost, beyond = self._align(m, advance, product, exponent)
        negative, bias = (_stage(m, advance, value) for value in (negative, bias))
        total, sign = self._add_bias(m, advance, Cat(lost, whole), negative, bias)
        beyond, negative = _stage(m, advance, beyond), _stage(m, advance, negative)
        sign = Mux(beyond, negative, sign)  # the total has lost the product's upper bits
        infinite, pattern = self._round(m, total)
        with m.If(advance):
            m.d.sync += [
                self.o.payload.infinite.eq((beyond | infinite) & used[-2]),
                self.o.payload.y.eq(Cat(Mux(beyond | infinite, INFINITY, pattern)[:15], sign)),
            ]
        return m

    def _multiply(self, m: Module, advance) -> tuple[Signal, ...]:
        """Stages 1 and 2: the sum's magnitude times both mantissas."""
        term = self.i.payload
        magnitude = _stage(m, advance, abs(term.sum)[: self.spec.sum_bits - 1])
        scale = _stage(m, advance, term.scale.mantissa * term.channel.mantissa)
        exponent = _stage(m, advance, term.scale.exponent + term.channel.exponent)
        negative = _stage(m, advance, term.sum < 0)
        bias = _stage(m, advance, term.channel.bias)
        return tuple(
            _stage(m, advance, value) for value in (magnitude * scale, exponent, negative, bias)
        )

    def _align(self, m: Module, advance, product: Signal, exponent: Signal) -> tuple[Signal, ...]:
        """Stage 3: the product in units of 2**UNIT, what was lost below, what is beyond."""
        wide = Signal(len(product) + WHOLE_BITS)
        m.d.comb += wide.eq(product << WHOLE_BITS)
        # Beyond the product's own bits to the right, or as many to the left, nothing changes.
        distance = Signal(signed(len(exponent) + 2))
        m.d.comb += distance.eq(BEYOND - exponent)
        right = Signal(7)
        m.d.comb += right.eq(Mux(distance < 0, 0, Mux(distance > 127, 127, distance)))
        shifted, lost = shift_right(m, wide, right, "aligned")
        beyond = shifted[WHOLE_BITS:].any()
        return tuple(_stage(m, advance, value) for value in (shifted[:WHOLE_BITS], lost, beyond))

    @staticmethod
    def _add_bias(m: Module, advance, whole, negative: Signal, bias: Signal) -> tuple:
        """Stage 4: the bias added exactly; magnitude and sign of the total."""
        exponent = bias[10:15]
        mantissa = Cat(bias[:10], exponent.any())
        # In half units: the lowest bit of ``whole`` says that there is more below.
        units = (mantissa << Mux(exponent.any(), exponent - 1, 0)[:5]) << (-24 - UNIT + 1)
        total = Signal(signed(WHOLE_BITS + 3))
        m.d.comb += total.eq(Mux(negative, -whole, whole) + Mux(bias[15], -units, units))
        return (
            _stage(m, advance, abs(total)[: WHOLE_BITS + 2]),
            _stage(m, advance, total < 0),
        )

    @staticmethod
    def _round(m: Module, total: Signal) -> tuple:
        """Stage 5: the FP16 magnitude nearest to the total, ties to even."""
        # 31 places at most: what is still not normalised then is subnormal, and in its place.
        normal, zeros = normalise(m, total, "normal", stages=5)
        low = len(normal) - SCALE_BITS
        kept = normal[low:]
        up = normal[low - 1] & (normal[: low - 1].any() | kept[0])
        pattern = Signal(16)
        # Each doubling adds 1024; the hidden bit adds the first. A carry goes where it should.
        m.d.comb += pattern.eq(((31 - zeros) << 10) + kept + up)
        return pattern >= INFINITY, pattern


def _stage(m: Module, advance, value) -> Signal:
    """Return a register that takes ``value`` whenever the pipeline moves on."""
    held = Signal.like(value, name="held")
    with m.If(advance):
        m.d.sync += held.eq(value)
    return held
