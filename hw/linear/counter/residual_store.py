"""Residual store: keeps what each outlier is multiplied by, and which input channel it is."""

from amaranth.hdl import Cat, Module, Mux, Signal

from hw.linear.counter.compensation_product import MAGNITUDE_BITS, CompensationProduct
from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import Out
from hw.stream.share import looked_at
from hw.stream.token_buffer import WritePort
from hw.token.outlier_residual import OutlierResidual
from hw.token.outlier_user import OutlierUser


class ResidualStore(OutlierUser):
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

    spec: CounterSpec

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
        residuals = self.residuals(m)
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
        self.until_all(m, busy, count, write)

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
