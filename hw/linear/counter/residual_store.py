"""Residual store: keeps what each outlier is multiplied by, and which input channel it is."""

from amaranth.hdl import Cat, Module, Mux, Signal

from hw.linear.counter.compensation_product import MAGNITUDE_BITS, CompensationProduct
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.engine_spec import SCALE
from hw.stream.component import In, InStream, Out, Sized
from hw.stream.share import looked_at
from hw.stream.token_buffer import WritePort
from hw.token.clustering_unit import thresholds_layout
from hw.token.outlier_residual import OutlierResidual
from hw.token.reciprocal import QUOTIENT_BITS
from hw.token.residual_builder import token_residuals


class ResidualStore(Sized[CounterSpec]):
    """Take a token's outliers, one per cycle, for the compensation MACs.

    The counterpart of :class:`hw.token.residual_builder.ResidualBuilder`, with the same ports:
    the products with the weight centroids are left to the MACs. Only the largest one is made
    here, to say whether any would saturate.

    Timing
    ------
    Latency : ``fill`` cycles and ``period`` for each outlier, then ``finished``.
    Rate : one outlier per cycle.
    Through paths : none.
    Reset : drops the token under way.
    """

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Outliers on each side."""
    a_centroids = In(lambda c: c.spec.codebook)
    """As for :class:`hw.token.midpoint_scaler.MidpointScaler`."""
    w_centroids = In(lambda c: c.spec.codebook)
    """Of the weights; unused ones are zero. Steady for some cycles before a token."""
    scale = In(SCALE)
    """The token's scale. This and the next two are steady from ``start`` to ``finished``."""
    thresholds = In(lambda c: thresholds_layout(c.spec.numbers.symmetric))
    """The token's cluster boundaries."""
    reciprocal = In(QUOTIENT_BITS)
    """Of the scale's mantissa."""
    start = In(1)
    """Strobe: begin with the token's outliers."""
    finished = Out(1)
    """High while no token is under way."""
    i = InStream(lambda c: c.spec.outlier)
    """2 k_top outliers per token."""
    rows = Out(lambda c: WritePort(c.spec.residual.size, 1, 2 * c.spec.outliers_max))
    """spec.residual of outlier n in word n. ``done`` stays low: the token's owner raises it."""
    positions = Out(lambda c: WritePort(c.spec.position_bits, 1, 2 * c.spec.outliers_max))
    """Their input channels. ``done`` stays low."""
    saturated = Out(1)
    """Strobe: a ratio, or a product with some weight centroid, was beyond its range."""

    def __init__(self, spec: CounterSpec) -> None:
        self.period = 1
        self.fill = looked_at(OutlierResidual(spec)).latency
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        residuals = token_residuals(m, self)
        residual = residuals.o.payload
        busy, write = Signal(), Signal()
        count = Signal(range(2 * self.spec.outliers_max))
        m.d.comb += [
            self.finished.eq(~busy),
            residuals.o.ready.eq(1),
            write.eq(residuals.o.valid),
            self.rows.en.eq(write),
            self.rows.address.eq(count),
            self.rows.data.eq(Cat(residual.magnitude, residual.negative)),
            self.positions.en.eq(write),
            self.positions.address.eq(count),
            self.positions.data.eq(residual.position),
        ]
        with m.If(self.start):
            m.d.sync += [busy.eq(self.k_top != 0), count.eq(0)]
        with m.Elif(write):
            m.d.sync += [count.eq(count + 1), busy.eq(count + 1 != self.k_top << 1)]

        product = self.put(m, "product", CompensationProduct(self.spec))
        written = Signal(1 + CompensationProduct.LATENCY)
        magnitude = Signal.like(residual.magnitude, reset_less=True)
        m.d.sync += [written.eq(Cat(write, written)), magnitude.eq(residual.magnitude)]
        m.d.comb += [
            product.residual.eq(magnitude),
            product.centroid.eq(self._furthest(m)),
            self.saturated.eq((write & residual.saturated) | (written[-1] & product.clipped)),
        ]

    def _furthest(self, m: Module) -> Signal:
        """Return the largest magnitude among the weight centroids, some cycles later."""
        magnitudes = [abs(self.w_centroids[n])[:MAGNITUDE_BITS] for n in range(self.spec.entries)]
        while len(magnitudes) > 1:
            larger = []
            for a, b in zip(magnitudes[::2], magnitudes[1::2], strict=True):
                held = Signal(MAGNITUDE_BITS, name=f"larger{len(magnitudes)}_{len(larger)}")
                m.d.sync += held.eq(Mux(a > b, a, b))
                larger.append(held)
            magnitudes = larger
        return magnitudes[0]
