"""Constant loader: load words, and scales of channels, from the memory outside into the engine."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.utils import exact_log2

from golden.chip.constants import LoadWord
from golden.chip.instruction import Op
from golden.exact.cache_codes import FP16_BIAS
from hw.chip.chip_spec import COUNT_BITS, ChipSpec, words_of
from hw.chip.unit import Reader
from hw.linear.shell.layer_constants import LayerConstants, Select, Size
from hw.stream.component import Out, OutStream
from hw.stream.share import looked_at

HALVES, PAIRS, LOADS = 0, 1, 2  # sizes of parts: 16, 32 and 64 bits


class ConstantLoader(Reader):
    """Carry out CONSTANTS and CHANNELS, as :class:`golden.chip.machine.Machine` says.

    Timing
    ------
    Latency : a part goes to the engine in the cycle in which it comes.
    Rate : one load word per cycle.
    Through paths : ``i`` to ``load_o``, ``load_o.ready`` to ``i.ready``; combinational.
    Reset : drops the step.
    """

    load_o = OutStream(lambda c: c.load)
    """As the engine's ``load_i`` takes them."""
    outlier_lanes = Out(lambda c: range(c.spec.engine.inputs_per_beat + 1))
    """Input lanes that a beat of outliers fills at most, with what was loaded."""

    def __init__(self, spec: ChipSpec) -> None:
        self.load = looked_at(LayerConstants(spec.engine)).word
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        step, spec, load = self.step, self.spec, self.load_o.payload
        channels, taken = Signal(), Signal()
        number, last = Signal(COUNT_BITS), Signal()
        busy = self.run(m, taken & last)
        bytes_log2 = Signal(2)
        m.d.comb += [
            channels.eq(step.op == Op.CHANNELS),
            self.size.eq(Mux(channels, Mux(step.scaled, PAIRS, HALVES), LOADS)),
            bytes_log2.eq(self.size + 1),
            last.eq(number + 1 == step.count),
            self.done.eq(last),
            self.i.ready.eq(busy & self.load_o.ready),
            self.load_o.valid.eq(busy & self.i.valid),
            taken.eq(self.i.valid & self.i.ready),
        ]
        self.ask(m, step.address, words_of(step.count << bytes_log2, spec.bus_bytes))
        with m.If(self.start):
            m.d.sync += number.eq(0)
        with m.Elif(taken):
            m.d.sync += number.eq(number + 1)

        word = self.i.payload.part64
        pair = self.i.payload.part32
        scale = Mux(step.scaled, pair[:16], self.i.payload.part16)
        places, exponent = Signal(signed(8)), Signal(signed(7))
        m.d.comb += [
            places.eq(step.extra[:8]),
            exponent.eq(scale[10:15] + places - FP16_BIAS),
        ]
        with m.If(channels):
            bias = Mux(step.scaled, pair[16:], 0)
            m.d.comb += [
                load.select.eq(Select.CHANNEL),
                load.address.eq(number),
                load.word.eq(Cat(bias, scale[:10], 1, exponent)),
            ]
        with m.Else():
            m.d.comb += [
                load.select.eq(word[:3]),
                load.address.eq(word[8:24]),
                load.word.eq(word[24:]),
            ]
            size = load.select == Select.SIZE
            with m.If(taken & size & (load.address == Size.K_TOP.value)):
                lanes = spec.engine.inputs_per_beat
                k_top = load.word[: exact_log2(lanes) + 8]
                m.d.sync += self.outlier_lanes.eq(Mux(k_top >= lanes // 2, lanes, k_top << 1))


assert LoadWord.K_TOP == Size.K_TOP.value
assert LoadWord.CENTROID == Select.W_CENTROID.value
