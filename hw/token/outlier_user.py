"""What works on a token's outliers: its ports, and how it counts them."""

from amaranth.hdl import Module, Signal, Value

from hw.engine_spec import EngineSpec
from hw.formats import FORM, SCALE
from hw.stream.component import In, InStream, Out, Sized
from hw.token.coding import measure_layout
from hw.token.outlier_residual import OutlierResidual
from hw.token.reciprocal import QUOTIENT_BITS


class OutlierUser(Sized[EngineSpec]):
    """Find what a token's outliers add beyond their centroids."""

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Outliers on each side."""
    a_centroids = In(lambda c: c.spec.activation_codebook)
    """As for :class:`hw.token.midpoint_scaler.MidpointScaler`; not where rows are made."""
    scale = In(SCALE)
    """The token's scale. This and the next two are steady from ``start`` to ``finished``."""
    measure = In(lambda c: measure_layout(c.spec))
    """As for :class:`hw.token.cluster_pass.ClusterPass`."""
    reciprocal = In(QUOTIENT_BITS)
    """Of the scale's mantissa."""
    levels = In(lambda c: c.spec.level_codebook)
    """As for :class:`hw.token.outlier_residual.OutlierResidual`; this and the next one only where
    codes can be snapped.
    """
    form = In(lambda c: FORM if c.spec.snaps else None)
    """The same."""
    start = In(1)
    """Strobe: begin with the token's outliers."""
    finished = Out(1)
    """High while no token is under way."""
    i = InStream(lambda c: c.spec.outlier)
    """2 k_top outliers per token."""

    def until_all(self, m: Module, under_way: Signal, count: Signal, one: Value) -> None:
        """Keep ``under_way`` high from ``start`` until ``one`` was high for all outliers."""
        with m.If(self.start):
            m.d.sync += [under_way.eq(self.k_top != 0), count.eq(0)]
        with m.Elif(one):
            m.d.sync += [count.eq(count + 1), under_way.eq(count + 1 != self.k_top << 1)]

    def residuals(self, m: Module) -> OutlierResidual:
        """Let a token's outliers, and no others, into the stages that find their residuals."""
        residuals = self.put(m, "residuals", OutlierResidual(self.spec))
        wanting = Signal()
        asked = Signal(range(2 * self.spec.outliers_max + 1))
        m.d.comb += [
            residuals.scale.eq(self.scale),
            residuals.measure.eq(self.measure),
            residuals.reciprocal.eq(self.reciprocal),
            residuals.i.payload.eq(self.i.payload),
            residuals.i.valid.eq(self.i.valid & wanting),
            self.i.ready.eq(residuals.i.ready & wanting),
        ]
        if not self.spec.numbers.made:
            m.d.comb += residuals.a_centroids.eq(self.a_centroids)
        if self.spec.snaps:
            m.d.comb += [residuals.levels.eq(self.levels), residuals.form.eq(self.form)]
        self.until_all(m, wanting, asked, self.i.valid & self.i.ready)
        return residuals
