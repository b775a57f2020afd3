"""Compensation MAC: residuals times the weights of one output channel, summed."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed

from hw.arith.columns import carry_select
from hw.formats import INDEX_BITS
from hw.linear.counter.compensation_product import MAGNITUDE_BITS, CompensationProduct
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, Sized
from hw.stream.pipeline import Pipeline, Staged


class CompensationMac(Sized[CounterSpec]):
    """Look up a weight's centroid (paper: Dequant Unit), multiply, round, accumulate (FP16 MAC).

    Nothing here waits: in a cycle without an outlier the residual is zero.

    Timing
    ------
    Latency : ``LATENCY`` cycles from ``residual`` to ``total``.
    Rate : one outlier per cycle.
    Through paths : none.
    Reset : none needed; ``first`` starts a sum.
    """

    LATENCY = 3 + CompensationProduct.LATENCY

    w_centroids = In(lambda c: c.spec.weight_codebook)
    """Weight codebook. Steady."""
    weight = In(INDEX_BITS)
    """Code of the outlier's weight."""
    residual = In(lambda c: c.spec.residual)
    """What the outlier adds beyond its centroid."""
    first = In(1)
    """It is the channel's first."""
    total = Out(lambda c: signed(c.spec.compensation_bits))
    """Sum since ``first``."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        magnitude, negative = self._dequantise(m)
        # Registers of its own: one for all MACs would have to drive all their multipliers.
        residual = Signal(spec.residual, reset_less=True)
        first = Signal(reset_less=True)
        m.d.sync += [residual.eq(self.residual), first.eq(self.first)]
        product = self.put(m, "product", CompensationProduct(spec))
        m.d.comb += [product.residual.eq(residual.magnitude), product.centroid.eq(magnitude)]
        pipe = Pipeline(m, 1)
        sign, begins = pipe.start(negative ^ residual.negative, first)
        # A negated product is its complement and a carry.
        term = pipe.stage(
            lambda product, negative: product ^ negative.replicate(spec.residual_bits),
            *(Staged(product.product, CompensationProduct.LATENCY), sign),
        )
        negative, first = pipe.at(sign, term.depth), pipe.at(begins, term.depth)
        wide = Signal(spec.compensation_bits)
        m.d.comb += wide.eq(Cat(term.value, negative).as_signed())
        total = Signal(spec.compensation_bits, reset_less=True)
        before = Mux(first, 0, total)
        m.d.sync += total.eq(
            carry_select(m, before, wide, "after", carry=negative, low=len(total) // 3)
        )
        m.d.comb += self.total.eq(total)

    def _dequantise(self, m: Module) -> tuple[Value, Value]:
        """Return magnitude and sign of the weight's centroid, a cycle later."""
        code = self.weight
        if self.spec.numbers.symmetric:
            chosen = Array(self.w_centroids[n] for n in range(8))[code[:-1]]
            magnitude, negative = chosen, code[-1]
        else:
            chosen = Array(self.w_centroids[n].as_value() for n in range(16))[code]
            magnitude, negative = chosen[:-1], chosen[-1]
        held = Signal(MAGNITUDE_BITS + 1, name="centroid", reset_less=True)
        m.d.sync += held.eq(Cat(magnitude, negative))
        return held[:-1], held[-1]
