"""Join of a token's largest and smallest activations into one list of outliers."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data

from hw.engine_spec import EngineSpec
from hw.stream.component import In, InStream, OutStream, Sized


class OutlierJoin(Sized[EngineSpec]):
    """Pass on the largest, then the smallest, and say which of these came before.

    Bit-exact with :func:`golden.exact.outliers.repeated`.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one outlier per cycle.
    Through paths : ``largest.valid`` to ``o.valid``, ``largest.payload`` to ``o.payload``,
        ``smallest.valid`` to ``o.valid``, ``smallest.payload`` to ``o.payload``, ``o.ready`` to
        ``largest.ready``, ``o.ready`` to ``smallest.ready``; combinational.
    Reset : the next outlier is a token's largest.
    """

    LATENCY = 0

    k_top = In(lambda c: range(c.spec.outliers_max + 1))
    """Outliers on each side. Steady while tokens are under way."""
    largest = InStream(lambda c: c.entry)
    """Per token k_top keys and positions, in descending order."""
    smallest = InStream(lambda c: c.entry)
    """The same in ascending order."""
    o = OutStream(lambda c: c.spec.outlier)
    """2 k_top outliers per token."""

    def __init__(self, spec: EngineSpec) -> None:
        fields = dict(spec.outlier.members)
        fields.pop("repeated")
        self.entry = data.StructLayout(fields)
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        on_smallest = Signal()
        passed = Signal(range(self.spec.outliers_max + 1))
        least = Signal(self.entry)  # the last of the largest
        entry = Signal(self.entry)
        transfer = Signal()
        m.d.comb += [
            entry.eq(
                Mux(on_smallest, self.smallest.payload.as_value(), self.largest.payload.as_value())
            ),
            self.o.valid.eq(Mux(on_smallest, self.smallest.valid, self.largest.valid)),
            self.largest.ready.eq(self.o.ready & ~on_smallest),
            self.smallest.ready.eq(self.o.ready & on_smallest),
            transfer.eq(self.o.valid & self.o.ready),
            self.o.payload.key.eq(entry.key),
            self.o.payload.position.eq(entry.position),
            # It stands among the largest if it comes no later than the last of them.
            self.o.payload.repeated.eq(
                on_smallest
                & (
                    (entry.key > least.key)
                    | ((entry.key == least.key) & (entry.position <= least.position))
                )
            ),
        ]
        with m.If(transfer):
            m.d.sync += passed.eq(passed + 1)
            with m.If(~on_smallest):
                m.d.sync += least.eq(entry)
            with m.If(passed + 1 == self.k_top):
                m.d.sync += [passed.eq(0), on_smallest.eq(~on_smallest)]
