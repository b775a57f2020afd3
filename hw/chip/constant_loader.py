"""Constant loader: load words, and scales of channels, from the memory outside into the engine."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.utils import bits_for, exact_log2

from golden.chip.constants import LoadWord
from golden.chip.instruction import Op
from golden.exact.cache_codes import FP16_BIAS
from golden.exact.levels import LEVELS_MAX
from hw.arith.bits import used_lanes
from hw.chip.chip_spec import COUNT_BITS, ChipSpec, loaded_layout, words_of
from hw.chip.unit import Reader
from hw.linear.shell.layer_constants import LayerConstants, Select, Size
from hw.stream.component import Out, OutStream
from hw.stream.share import looked_at

LOAD_SIZE = 2  # of parts: 64 bits
CENTROIDS = 8  # of a symmetric codebook's positive half


class ConstantLoader(Reader):
    """Carry out CONSTANTS and CHANNELS, as :class:`golden.chip.machine.Machine` says.

    Timing
    ------
    Latency : a part goes to the engine in the cycle in which it comes.
    Rate : one load word per cycle, of ``scale_lanes`` channels.
    Through paths : ``i.valid`` to ``load_o.valid``, ``i.payload`` to ``load_o.payload``,
        ``load_o.ready`` to ``i.ready``; combinational.
    Reset : drops the step.
    """

    load_o = OutStream(lambda c: c.load)
    """As the engine's ``load_i`` takes them."""
    outliers = Out(lambda c: range(2 * c.spec.engine.outliers_max + 1))
    """Outliers of a token, with what was loaded."""
    digits = Out(lambda c: range(c.spec.engine.residual_digits + 1))
    """Digits of an outlier's row, with what was loaded."""
    loaded = Out(lambda c: loaded_layout(c.spec))
    """What was loaded; a CHANNELS step counts from its start on."""
    wrong = Out(1)
    """Strobe, a cycle later: a part was not for the engine."""

    def __init__(self, spec: ChipSpec) -> None:
        self.load = looked_at(LayerConstants(spec.engine)).word
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        step, spec = self.step, self.spec
        at_once = spec.engine.channels_at_once
        channels, taken, at_a_time = Signal(), Signal(), Signal(range(at_once + 1))
        number, left, last = Signal(COUNT_BITS), Signal(COUNT_BITS), Signal()
        busy = self.run(m, taken & last)
        self._bad = Signal()
        halves = exact_log2(at_once)  # size of a part that has scales alone
        m.d.comb += [
            channels.eq(step.op == Op.CHANNELS),
            at_a_time.eq(Mux(channels, at_once, 1)),
            last.eq(Mux(channels, left <= at_once, left <= 1)),
            self.done.eq(last),
            self.i.ready.eq(busy & self.load_o.ready),
            self.load_o.valid.eq(busy & self.i.valid),
            taken.eq(self.i.valid & self.i.ready),
        ]
        # The operation comes late, so it only chooses: two bytes each, four or eight.
        ahead = self.ahead
        twice, four, eight = (words_of(ahead.count << n, spec.bus_bytes) for n in (1, 2, 3))
        scales = Mux(ahead.scaled, four, twice)
        self.ask(m, ahead.address, Mux(ahead.op == Op.CHANNELS, scales, eight))
        m.d.sync += self.wrong.eq(taken & self._bad)
        with m.If(self.start):
            m.d.sync += [
                number.eq(0),
                left.eq(step.count),
                self.size.eq(Mux(channels, Mux(step.scaled, halves + 1, halves), LOAD_SIZE)),
            ]
        with m.Elif(taken):
            m.d.sync += [number.eq(number + at_a_time), left.eq(left - at_a_time)]
        with m.If(channels):
            self._channels(m, number, last)
            with m.If(self.start):
                m.d.sync += self.loaded.channels.eq(step.count)
        with m.Else():
            self._load(m, taken)

    def _channels(self, m: Module, number: Signal, last: Signal) -> None:
        """Make a load word of the scales of channels, and of their biases if they have any."""
        used = used_lanes(last, self.step.count, self.spec.engine.channels_at_once)
        step, load, parts = self.step, self.load_o.payload, self.i.payload
        at_once = self.spec.engine.channels_at_once
        places = step.extra[:8].as_signed()
        scales, pairs = parts[f"part{16 * at_once}"], parts[f"part{32 * at_once}"]
        words, bad = [], []
        for n in range(at_once):
            pair = pairs.word_select(n, 32)
            scale = Mux(step.scaled, pair[:16], scales.word_select(n, 16))
            bias = Mux(step.scaled, pair[16:], 0)
            whole = Signal(signed(10), name=f"whole{n}")
            exponent = Signal(signed(7), name=f"exponent{n}")
            m.d.comb += [whole.eq(scale[10:15] + places - FP16_BIAS), exponent.eq(whole)]
            words.append(Cat(bias, scale[:10], 1, exponent))
            field = scale[10:15]
            wrong = scale[15] | ~field.any() | field.all() | bias[10:15].all()
            bad.append(used[n] & (wrong | (whole != exponent)))
        m.d.comb += [
            load.select.eq(Select.CHANNEL),
            load.address.eq(number),
            load.word.eq(Cat(words)),
            self._bad.eq(Cat(bad).any()),
        ]

    def _load(self, m: Module, taken: Signal) -> None:
        """Hand on a load word, and see how many outliers there will be."""
        load, word = self.load_o.payload, self.i.payload.part64
        m.d.comb += [
            load.select.eq(word[:3]),
            load.address.eq(word[8:24]),
            load.word.eq(word[24:]),
        ]
        engine, address, value = self.spec.engine, word[8:24], word[24:]
        with m.Switch(word[:3]):
            with m.Case(Select.SIZE.value):
                m.d.comb += self._bad.eq(address > Size.DIGITS.value)
            with m.Case(Select.W_CENTROID.value):
                m.d.comb += self._bad.eq(address >= CENTROIDS)
            with m.Case(Select.LEVEL.value):
                m.d.comb += self._bad.eq(address >= LEVELS_MAX)
            with m.Default():
                m.d.comb += self._bad.eq(1)
        k_top = value[: bits_for(engine.outliers_max)]
        sizes = {
            Size.INPUTS: (1, engine.inputs_max, self.loaded.inputs, value),
            Size.OUTPUTS: (1, engine.outputs_max, self.loaded.outputs, value),
            Size.K_TOP: (
                *(0, engine.outliers_max),
                *(self.outliers, k_top << 1),
            ),
        }
        with m.If(taken & (load.select == Select.SIZE) & (address == Size.DIGITS.value)):
            m.d.sync += self.digits.eq(value)
        for size, (low, high, target, wanted) in sizes.items():
            with m.If((load.select == Select.SIZE) & (address == size.value)):
                m.d.comb += self._bad.eq((value < low) | (value > high))
                with m.If(taken):
                    m.d.sync += target.eq(wanted)


assert LoadWord.K_TOP == Size.K_TOP.value
assert LoadWord.CENTROID == Select.W_CENTROID.value
assert LoadWord.LEVEL == Select.LEVEL.value
