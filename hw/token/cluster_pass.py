"""Coding pass: all activations of a buffered token become codes, one beat per cycle."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.utils import exact_log2

from hw.engine_spec import EngineSpec
from hw.stream.component import In, Out, Sized
from hw.stream.pipeline import later
from hw.stream.share import looked_at
from hw.stream.token_buffer import ReadPort, WritePort
from hw.token.clustering_unit import ClusteringUnit
from hw.token.coding import coding_unit, measure_layout, prepared


class ClusterPass(Sized[EngineSpec]):
    """Read a token's activations and write their codes: clusters, or steps of a grid.

    Timing
    ------
    Latency : ceil(K / k_t) + ``behind`` cycles from ``start`` to ``finished``, not counting its
        own.
    Rate : one beat per cycle.
    Through paths : none.
    Reset : drops the token under way.
    """

    inputs = In(lambda c: range(c.spec.inputs_max + 1))
    """K, the token's length."""
    measure = In(lambda c: measure_layout(c.spec))
    """What a unit measures the token with, steady from ``start`` to ``finished``."""
    start = In(1)
    """Strobe: begin. The token is in the buffer."""
    finished = Out(1)
    """High while no token is under way."""
    tokens = Out(lambda c: ReadPort(16 * c.spec.inputs_per_beat, 1, c.spec.beats_max))
    """Activations. ``done`` stays low: the token's owner raises it."""
    codes = Out(lambda c: WritePort(c.spec.code_bits * c.spec.inputs_per_beat, 1, c.spec.beats_max))
    """Codes. ``done`` stays low."""

    def __init__(self, spec: EngineSpec) -> None:
        self.behind = 1 + looked_at(coding_unit(spec)).latency
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        lanes, bits = self.spec.inputs_per_beat, self.spec.code_bits
        reading, writing = Signal(), Signal(self.behind)
        address = Signal.like(self.tokens.address)
        with m.If(self.start):
            m.d.sync += [reading.eq(1), address.eq(0)]
        with m.If(reading):
            m.d.sync += address.eq(address + 1)
            with m.If((address + 1) << exact_log2(lanes) >= self.inputs):
                m.d.sync += reading.eq(0)
        m.d.sync += writing.eq(Cat(reading, writing))
        m.d.comb += [
            self.codes.address.eq(later(m, address, self.behind)),
            self.finished.eq(~reading & ~writing.any()),
            self.tokens.en.eq(reading),
            self.tokens.address.eq(address),
            self.codes.en.eq(writing[-1]),
        ]
        for n in range(lanes):
            unit = self.put(m, f"unit{n}", coding_unit(self.spec), measure=self.measure)
            if isinstance(unit, ClusteringUnit) and unit.latency:
                m.d.comb += unit.en.eq(1)
            m.d.comb += [
                unit.activation.eq(prepared(self.spec, self.tokens.data.word_select(n, 16))),
                self.codes.data.word_select(n, bits).eq(unit.code),
            ]
