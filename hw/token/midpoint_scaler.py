"""Midpoint scaler: a token's cluster boundaries as FP16 numbers."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.fp16 import INFINITY, MAX_FINITE
from golden.spec import A_FRACTION_BITS, SCALE_BITS
from hw.common.shifts import normalise, shift_right
from hw.engine_spec import INDEX_BITS, SCALE, EngineSpec
from hw.token.clustering_unit import thresholds_layout

PRODUCT_BITS = SCALE_BITS + 17
LARGEST_FIELD = 29  # exponent field of the largest FP16 numbers, less one


class MidpointScaler(wiring.Component):
    """Multiply the midpoints of neighbouring centroids by the token scale.

    Bit-exact with :func:`golden.clustering.thresholds`. One multiplier, one midpoint per cycle.

    Parameters
    ----------
    spec : EngineSpec
        Says whether the codebook is symmetric.

    Ports
    -----
    centroids : In(array of centroids)
        Ascending, in units of 2**-10 token scales; the positive ones of a symmetric codebook.
    last_centroid : In(4)
        Number of the last one in use, from 0. Midpoints beyond it become infinity.
    i : In(stream of ``SCALE``)
        Token scale.
    o : Out(stream of ``thresholds_layout(symmetric)``)
        The token's thresholds, held until taken.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``.
    Rate : one token at a time; the next is taken once ``o`` has been.
    Through paths : none.
    Reset : drops the token under way.
    """

    centroids: data.View
    last_centroid: Signal
    i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.symmetric = spec.numbers.symmetric
        self.layout = thresholds_layout(self.symmetric)
        self.latency = self.layout.length + 3
        self.step = data.StructLayout(
            {"valid": 1, "number": range(self.layout.length), "negative": 1, "beyond": 1}
        )
        shape = (unsigned if self.symmetric else signed)(spec.centroid_bits)
        ports = {
            "centroids": In(data.ArrayLayout(shape, spec.entries)),
            "last_centroid": In(INDEX_BITS),
            "i": In(stream.Signature(SCALE)),
            "o": Out(stream.Signature(self.layout)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        count = self.layout.length
        busy, issue = Signal(), Signal()
        number = Signal(range(count))
        scale = Signal(SCALE)
        m.d.comb += self.i.ready.eq(~busy)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [busy.eq(1), issue.eq(1), number.eq(0), scale.eq(self.i.payload)]
        with m.If(issue):
            m.d.sync += [number.eq(number + 1), issue.eq(number != count - 1)]

        # First the midpoint (twice it, so without a fraction) times the scale's mantissa.
        pairs = Array(self.centroids[n] + self.centroids[n + 1] for n in range(count))
        midpoint = Signal(signed(18))
        product = Signal(self.step)
        value = Signal(PRODUCT_BITS)
        m.d.comb += midpoint.eq(pairs[number])
        m.d.sync += [
            value.eq(abs(midpoint)[:17] * scale.mantissa),
            product.valid.eq(issue),
            product.number.eq(number),
            product.negative.eq(midpoint < 0),
            product.beyond.eq(number >= self.last_centroid),
        ]
        normal, zeros = normalise(m, value, "normal")
        rounding = Signal(self.step)
        kept = Signal(SCALE_BITS)
        inexact = Signal()
        field = Signal(signed(9))
        m.d.sync += [
            rounding.eq(product),
            kept.eq(normal[-SCALE_BITS:]),
            inexact.eq(normal[:-SCALE_BITS].any()),
            # The exponent of the top bit, as FP16's field less one: the hidden bit adds one.
            field.eq(scale.exponent - A_FRACTION_BITS - 1 + (PRODUCT_BITS - 1 + 14) - zeros),
        ]
        floor, exact = self._floor_pattern(m, kept, inexact, field)

        with m.If(rounding.valid):
            m.d.sync += self.o.payload[rounding.number].eq(self._threshold(rounding, floor, exact))
            with m.If(rounding.number == count - 1):
                m.d.sync += self.o.valid.eq(1)
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [self.o.valid.eq(0), busy.eq(0)]
        return m

    @staticmethod
    def _floor_pattern(m: Module, kept: Signal, inexact: Signal, field: Signal):
        """Return the FP16 magnitude at or below a normalised value, and whether it is the same."""
        distance = Signal(4)  # 11 bits shifted by 11 or more leave nothing
        m.d.comb += distance.eq(Mux(field >= 0, 0, Mux(field < -15, 15, -field)))
        subnormal, lost = shift_right(m, kept, distance, "subnormal", sticky=inexact)
        floor = Signal(15)
        exact = Signal()
        with m.If(~kept[-1]):  # only zero is not normalised
            m.d.comb += [floor.eq(0), exact.eq(1)]
        with m.Elif(field > LARGEST_FIELD):
            m.d.comb += [floor.eq(MAX_FINITE), exact.eq(0)]
        with m.Else():
            exponent = Mux(field < 0, 0, field)[:5]
            m.d.comb += [floor.eq((exponent << 10) + subnormal), exact.eq(~lost)]
        return floor, exact

    def _threshold(self, step, floor: Signal, exact: Signal):
        """Return a threshold in the form that the clustering unit compares with."""
        ceiling = Mux(step.beyond, INFINITY, floor + ~exact)
        if self.symmetric:
            return Cat(exact & ~step.beyond, ceiling[:15])
        return Mux(step.negative & ~step.beyond, -floor, ceiling)
