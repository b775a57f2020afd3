"""Residual store: keeps what each outlier is multiplied by, and which input channel it is."""

from amaranth.hdl import Cat, Module, Signal

from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import Out
from hw.stream.share import looked_at
from hw.stream.token_buffer import WritePort
from hw.token.outlier_residual import OutlierResidual
from hw.token.outlier_user import OutlierUser


class ResidualStore(OutlierUser):
    """Take a token's outliers, one per cycle, for the compensation MACs.

    The counterpart of :class:`hw.token.residual_builder.ResidualBuilder`: the products with the
    weight centroids are left to the MACs.

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
