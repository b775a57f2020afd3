"""Frame reader: frames of an AXI4-Stream as tokens of one length, whatever comes."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.arith.bits import used_lanes
from hw.bus.axi import AxiStream
from hw.stream.component import Component, In, Out, OutStream

NUMBER_BYTES = 2
ERRORS = data.StructLayout({"early": 1, "late": 1, "keep": 1})


class FrameReader(Component):
    """Make a token of each frame: so many FP16 numbers, a word's first one in its lowest bytes.

    What a frame lacks is zero, what it has beyond the token is dropped, and a strobe says so: the
    next frame is a token again.

    Parameters
    ----------
    lanes : int
        Numbers of a word, a power of two.
    inputs_max : int
        Numbers of a token at most.

    Timing
    ------
    Latency : none; a frame that ends early adds as many cycles as words are missing.
    Rate : one word per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``s_axis.tready``; ``s_axis`` to ``o``; both to ``errors``.
    Reset : the next word is a frame's first.
    """

    inputs = In(lambda c: range(c.inputs_max + 1))
    """K, the numbers of a token. Steady from its first word to its last."""
    s_axis = In(lambda c: AxiStream(16 * c.lanes))
    """Frames: ``tlast`` with the word that has a token's last number, ``tkeep`` whole in all words
    before, and there for the bytes of the token's numbers.
    """
    o = OutStream(lambda c: data.ArrayLayout(16, c.lanes))
    """Beats of tokens, ceil(K / lanes) each."""
    errors = Out(ERRORS)
    """Strobes, with a word that is taken: the frame ended ``early``, or did not end with the token
    and so ends ``late``; or ``tkeep`` is not as it must be.
    """

    def __init__(self, lanes: int, inputs_max: int) -> None:
        self.lanes, self.inputs_max = lanes, inputs_max
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        bus, lanes = self.s_axis, self.lanes
        beat = Signal(range(max(-(-self.inputs_max // lanes), 2)))
        last, fills, drops = Signal(), Signal(), Signal()
        wanted, there = Signal(lanes), Signal(lanes)
        m.d.comb += [
            last.eq((beat + 1) << exact_log2(lanes) >= self.inputs),
            wanted.eq(used_lanes(last, self.inputs, lanes)),
            there.eq(Cat(bus.tkeep.word_select(n, NUMBER_BYTES).all() for n in range(lanes))),
            bus.tready.eq(~fills & (drops | self.o.ready)),
            self.o.valid.eq(fills | (bus.tvalid & ~drops)),
        ]
        for n in range(lanes):
            number = bus.tdata.word_select(n, 16)
            m.d.comb += self.o.payload[n].eq(Mux(there[n] & ~fills, number, 0))
        takes, gives = bus.tvalid & bus.tready, self.o.valid & self.o.ready
        with m.If(takes & ~drops):
            whole = Cat(lane.replicate(NUMBER_BYTES) for lane in wanted)
            m.d.comb += [
                self.errors.early.eq(bus.tlast & ~last),
                self.errors.late.eq(last & ~bus.tlast),
                self.errors.keep.eq(bus.tkeep != whole),
            ]
        with m.If(takes & bus.tlast):
            m.d.sync += drops.eq(0)
        with m.If(self.errors.late):
            m.d.sync += drops.eq(1)
        with m.If(self.errors.early):
            m.d.sync += fills.eq(1)
        with m.If(gives):
            m.d.sync += beat.eq(Mux(last, 0, beat + 1))
            with m.If(last):
                m.d.sync += fills.eq(0)
