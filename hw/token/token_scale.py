"""Token scale: the sum of absolute values times a factor, in 11 significant bits."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.spec import FACTOR_BITS, MIN_SCALE_EXPONENT, SCALE_BITS
from hw.common.shifts import normalise
from hw.engine_spec import SCALE, EngineSpec

FACTOR = data.StructLayout({"mantissa": FACTOR_BITS, "exponent": signed(8)})


class TokenScale(wiring.Component):
    """Turn the sum of a token's absolute values into its scale.

    Bit-exact with :func:`golden.token_scale.token_scale`.

    Parameters
    ----------
    spec : EngineSpec
        Says how wide the sum is.

    Ports
    -----
    factor : In(``FACTOR``)
        Multiplies the sum: 1/K for the mean. Steady while tokens are under way.
    i : In(stream of unsigned(spec.total_bits))
        Sum in units of 2**-24.
    o : Out(stream of ``SCALE``)
        Normalised mantissa (1024 to 2047) and exponent.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one scale per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the scales in flight.
    """

    LATENCY = 3

    factor: data.View
    i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        ports = {
            "factor": In(FACTOR),
            "i": In(stream.Signature(spec.total_bits)),
            "o": Out(stream.Signature(SCALE)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        advance = ~self.o.valid | self.o.ready
        m.d.comb += self.i.ready.eq(advance)
        bits = self.spec.total_bits

        # The 16 leading bits, and the exponent of the lowest of them.
        normal, zeros = normalise(m, self.i.payload, "normal")
        head = Signal(FACTOR_BITS)
        head_exponent = Signal(signed(8))
        head_valid = Signal()
        # A product of two normalised 16-bit numbers has 31 or 32 bits.
        product = Signal(2 * FACTOR_BITS)
        exponent = Signal(signed(10))
        product_valid = Signal()
        with m.If(advance):
            m.d.sync += [
                head.eq(normal[bits - FACTOR_BITS :]),
                head_exponent.eq(bits - FACTOR_BITS - 24 - zeros),
                head_valid.eq(self.i.valid),
                product.eq(head * self.factor.mantissa),
                exponent.eq(head_exponent + self.factor.exponent),
                product_valid.eq(head_valid),
                self.o.valid.eq(product_valid),
            ]

        top = product[-1]
        drop = 2 * FACTOR_BITS - 1 - SCALE_BITS
        kept = Signal(SCALE_BITS + 1)
        m.d.comb += kept.eq(Mux(top, product[drop:], product[drop - 1 :]))
        rounded = Signal(SCALE_BITS + 1)  # halves up: the lowest bit kept is the half
        m.d.comb += rounded.eq((kept >> 1) + kept[0])
        carry = rounded[-1]
        scale_exponent = Signal(signed(10))
        m.d.comb += scale_exponent.eq(exponent + drop + top + carry)
        least = (product == 0) | (scale_exponent < MIN_SCALE_EXPONENT)
        with m.If(advance):
            with m.If(least):
                m.d.sync += self.o.payload.mantissa.eq(1 << (SCALE_BITS - 1))
                m.d.sync += self.o.payload.exponent.eq(MIN_SCALE_EXPONENT)
            with m.Else():
                m.d.sync += self.o.payload.mantissa.eq(Mux(carry, rounded >> 1, rounded))
                m.d.sync += self.o.payload.exponent.eq(scale_exponent)
        return m
