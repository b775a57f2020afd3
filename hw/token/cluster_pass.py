"""Coding pass: all activations of a buffered token become codes, one beat per cycle."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.utils import exact_log2

from golden.exact.levels import Form
from hw.engine_spec import EngineSpec
from hw.formats import FORM
from hw.stream.component import In, Out, Sized
from hw.stream.pipeline import later
from hw.stream.share import looked_at
from hw.stream.token_buffer import ReadPort, WritePort
from hw.token.clustering_unit import ClusteringUnit
from hw.token.coding import coding_unit, measure_layout, prepared
from hw.token.level_unit import LevelUnit


class ClusterPass(Sized[EngineSpec]):
    """Read a token's activations and write their codes: clusters, or steps of a grid.

    Timing
    ------
    Latency : ceil(K / k_t) + ``behind`` cycles from ``start`` to ``finished``, not counting its
        own; ``spec.code_groups`` cycles for each beat where codes are snapped.
    Rate : one beat per cycle, or per so many.
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
    codes = Out(lambda c: code_write(c.spec))
    """Codes. ``done`` stays low."""
    levels = In(lambda c: c.spec.level_codebook)
    """As for :class:`hw.token.level_unit.LevelUnit`; this and the next one only where codes can be
    snapped.
    """
    form = In(lambda c: FORM if c.spec.snaps else None)
    """Of the rows. Steady, as the levels are, from ``start`` to ``finished``."""

    def __init__(self, spec: EngineSpec) -> None:
        self.behind = 1 + looked_at(coding_unit(spec)).latency
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        lanes, bits = self.spec.inputs_per_beat, self.spec.code_bits
        reading, writing = Signal(), Signal(self.behind)
        address = Signal.like(self.tokens.address)
        found = Signal(bits * lanes)
        ends = self._write(m, found, reading, writing[-1])
        with m.If(self.start):
            m.d.sync += [reading.eq(1), address.eq(0)]
        with m.If(reading & ends):
            m.d.sync += address.eq(address + 1)
            with m.If((address + 1) << exact_log2(lanes) >= self.inputs):
                m.d.sync += reading.eq(0)
        m.d.sync += writing.eq(Cat(reading, writing))
        m.d.comb += [
            self.codes.address.eq(later(m, address, self.behind)),
            self.finished.eq(~reading & ~writing.any()),
            self.tokens.en.eq(reading),
            self.tokens.address.eq(address),
        ]
        for n in range(lanes):
            unit = self.put(m, f"unit{n}", coding_unit(self.spec), measure=self.measure)
            if isinstance(unit, ClusteringUnit) and unit.latency:
                m.d.comb += unit.en.eq(1)
            m.d.comb += [
                unit.activation.eq(prepared(self.spec, self.tokens.data.word_select(n, 16))),
                found.word_select(n, bits).eq(unit.code),
            ]

    def _write(self, m: Module, found: Signal, reading: Signal, writing: Value) -> Value:
        """Write the codes that were found; return whether the next beat may be read.

        Codes that are snapped are written group by group, so as few units do as a group has lanes.
        """
        groups = self.spec.code_groups
        if groups == 1:
            m.d.comb += [self.codes.data.eq(found), self.codes.en.eq(writing.replicate(groups))]
            return Const(1)
        snaps, read, written = Signal(), Signal(range(groups)), Signal(range(groups))
        m.d.comb += snaps.eq(self.form != Form.A8)
        # A beat's codes stay for as many cycles as there are groups, so any may be the first.
        m.d.sync += [read.eq(read + (reading & snaps)), written.eq(written + writing)]
        bits = self.spec.code_bits
        group = found.word_select(written, len(found) // groups)
        snapped = Signal.like(group)
        for n in range(len(group) // bits):
            unit = self.put(m, f"level{n}", LevelUnit(), levels=self.levels, form=self.form)
            m.d.comb += [
                unit.code.eq(group.word_select(n, bits)),
                snapped.word_select(n, bits).eq(unit.snapped),
            ]
        every = ~snaps
        m.d.comb += [
            self.codes.data.eq(Mux(snaps, snapped.replicate(groups), found)),
            self.codes.en.eq(
                Cat(writing & (every | (written == n)) for n in range(groups)),
            ),
        ]
        return every | read.all()


def code_write(spec: EngineSpec) -> WritePort:
    """Return how codes are written: a beat a word, its groups of lanes apart where they snap."""
    groups = spec.code_groups
    return WritePort(spec.code_bits * spec.inputs_per_beat // groups, groups, spec.beats_max)
