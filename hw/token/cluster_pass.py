"""Clustering pass: all activations of a buffered token become codes, one beat per cycle."""

from amaranth.hdl import Module, Signal
from amaranth.utils import exact_log2

from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS
from hw.stream.component import In, Out, Sized
from hw.stream.token_buffer import ReadPort, WritePort
from hw.token.clustering_unit import ClusteringUnit, ordered, thresholds_layout


class ClusterPass(Sized[EngineSpec]):
    """Read a token's activations and write their codes.

    Timing
    ------
    Latency : ceil(K / k_t) + 1 cycles from ``start`` to ``finished``, not counting its own.
    Rate : one beat per cycle.
    Through paths : none.
    Reset : drops the token under way.
    """

    inputs = In(lambda c: range(c.spec.inputs_max + 1))
    """K, the token's length."""
    thresholds = In(lambda c: thresholds_layout(c.spec.numbers.symmetric))
    """The token's cluster boundaries, steady from ``start`` to ``finished``."""
    start = In(1)
    """Strobe: begin. The token is in the buffer."""
    finished = Out(1)
    """High while no token is under way."""
    tokens = Out(lambda c: ReadPort(16 * c.spec.inputs_per_beat, 1, c.spec.beats_max))
    """Activations. ``done`` stays low: the token's owner raises it."""
    codes = Out(lambda c: WritePort(INDEX_BITS * c.spec.inputs_per_beat, 1, c.spec.beats_max))
    """Codes. ``done`` stays low."""

    def build(self, m: Module) -> None:  # noqa: D102
        lanes, symmetric = self.spec.inputs_per_beat, self.spec.numbers.symmetric
        reading, writing = Signal(), Signal()
        address = Signal.like(self.tokens.address)
        with m.If(self.start):
            m.d.sync += [reading.eq(1), address.eq(0)]
        with m.If(reading):
            m.d.sync += address.eq(address + 1)
            with m.If((address + 1) << exact_log2(lanes) >= self.inputs):
                m.d.sync += reading.eq(0)
        m.d.sync += [writing.eq(reading), self.codes.address.eq(address)]
        m.d.comb += [
            self.finished.eq(~reading & ~writing),
            self.tokens.en.eq(reading),
            self.tokens.address.eq(address),
            self.codes.en.eq(writing),
        ]
        for n in range(lanes):
            unit = self.put(m, f"unit{n}", ClusteringUnit(symmetric), thresholds=self.thresholds)
            m.d.comb += [
                unit.activation.eq(
                    ordered(self.tokens.data.word_select(n, 16), symmetric=symmetric)
                ),
                self.codes.data.word_select(n, INDEX_BITS).eq(unit.code),
            ]
