"""Beat sequencer: the order in which a token's beats are worked on."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from hw.linear.engine_spec import EngineSpec


class BeatSequencer(wiring.Component):
    """Step through the tiles of a layer; in each, the main beats, then the compensation.

    Per token (ceil(K / k_t) + D * ceil(2 k_top / k_t)) * ceil(N / n_t) beats, D the digits of a
    residual row.

    Parameters
    ----------
    spec : EngineSpec
        Lanes and the largest layer.

    Ports
    -----
    shape : In(spec.shape)
        Size of the layer. Steady while tokens are under way.
    available : In(1)
        Whether there is a token to work on.
    o : Out(stream of spec.beat)
        Its beats; ``token_last`` marks the one after which it is not needed any more.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one beat per cycle while ``available`` and ``o.ready`` are high, across tokens too.
    Through paths : ``available`` to ``o.valid``, combinational.
    Reset : the next beat is a token's first.
    """

    LATENCY = 0

    shape: data.View
    available: Signal
    o: stream.Interface

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        ports = {
            "shape": In(spec.shape),
            "available": In(1),
            "o": Out(stream.Signature(spec.beat)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        spec = self.spec
        lanes = exact_log2(spec.inputs_per_beat)
        compensation = Signal()
        address = Signal.like(self.o.payload.address)
        digit = Signal.like(self.o.payload.digit)
        tile = Signal.like(self.o.payload.tile)

        # What is being stepped through: the token's inputs, or its outliers on both sides.
        length = Mux(compensation, self.shape.k_top << 1, self.shape.inputs)
        address_last, digit_last, tile_last = Signal(), Signal(), Signal()
        rest = length[:lanes]
        beat = self.o.payload
        m.d.comb += [
            address_last.eq((address + 1) << lanes >= length),
            digit_last.eq(~compensation | (digit == spec.numbers.residual_digits - 1)),
            tile_last.eq((tile + 1) << exact_log2(spec.output_lanes) >= self.shape.outputs),
            self.o.valid.eq(self.available),
            beat.tile.eq(tile),
            beat.compensation.eq(compensation),
            beat.address.eq(address),
            beat.digit.eq(digit),
            beat.mask.eq(Mux(address_last & rest.any(), (1 << rest) - 1, -1)),
            beat.first.eq(~compensation & (address == 0)),
            beat.last.eq(address_last & digit_last & (compensation | (self.shape.k_top == 0))),
            beat.token_last.eq(beat.last & tile_last),
        ]
        with m.If(self.o.valid & self.o.ready):
            with m.If(~digit_last):
                m.d.sync += digit.eq(digit + 1)
            with m.Else():
                m.d.sync += [digit.eq(0), address.eq(Mux(address_last, 0, address + 1))]
                with m.If(address_last):
                    m.d.sync += compensation.eq(~beat.last)
            with m.If(beat.last):
                m.d.sync += tile.eq(Mux(tile_last, 0, tile + 1))
        return m
