"""Output stage: the sums of each tile, scaled, biased and rounded, a few per cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.arith.bits import used_lanes
from hw.engine_spec import CHANNEL, EngineSpec
from hw.formats import SCALE
from hw.linear.output.cut_products import TRIPLES, triples
from hw.linear.output.output_scaler import OutputScaler
from hw.stream.channel_memory import ChannelMemory
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.share import looked_at


class OutputStage(Sized[EngineSpec]):
    """Turn tiles of sums into the layer's FP16 outputs.

    Where several tokens are ``together``, a tile of each comes before the next tile of the first.

    Timing
    ------
    Latency : ``latency`` cycles from a transfer on ``i`` to ``o.valid``, with the scale there.
    Rate : one beat per cycle while ``o.ready`` is high; a tile every n_t / scale_lanes + 1
        cycles.
    Through paths : ``o.ready`` and ``scale_i.valid`` to ``scale_i.ready``, combinational.
    Reset : drops the outputs under way; the next tile is a token's first.
    """

    outputs = In(lambda c: range(c.spec.outputs_max + 1))
    """N, the number of output channels. Steady while tokens are under way."""
    channel_en = In(1)
    """Strobe: writes ``channel`` to output channel ``channel_address``."""
    channel_address = In(lambda c: range(c.spec.outputs_max))
    """Output channel."""
    channel = In(lambda c: c.spec.channel)
    """Its scale and bias."""
    channel_bank = In(lambda c: 1 if c.spec.loads_ahead else None)
    """Which of two banks is read; the other one is written."""
    scale_i = InStream(SCALE)
    """Scale of each token; taken with its last outputs, or with those of each tile where several
    are ``together``.
    """
    together = In(lambda c: c.spec.together)
    """As for :class:`hw.linear.lookup.beat_sequencer.BeatSequencer`."""
    i = InStream(lambda c: c.tile)
    """Sums, as from :class:`hw.linear.lookup.lookup_array.LookupArray`. Once ``ready`` is high it
    stays high until a transfer.
    """
    o = OutStream(lambda c: c.beat)
    """``scale_lanes`` outputs, the lowest channel first; what is beyond N does not matter. ``last``
    marks the token's last beat, ``infinite`` the lanes with an infinite output within N.
    """

    def __init__(self, spec: EngineSpec) -> None:
        lanes = spec.scale_lanes
        self.tile = data.ArrayLayout(spec.lane_sum, spec.output_lanes)
        self.beat = data.StructLayout(
            {"lanes": data.ArrayLayout(16, lanes), "infinite": lanes, "last": 1}
        )
        super().__init__(spec)
        self.latency = 2 + looked_at(OutputScaler(spec.sum_bits)).latency

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        lanes = spec.scale_lanes
        steps = spec.output_lanes // lanes
        sums = Signal(self.tile)
        waiting = Signal(range(steps + 1))  # steps of the tile that are left
        group = Signal(range(max(spec.outputs_max // lanes, 2)))  # of scale_lanes channels
        last, end, following = Signal(), Signal(), Signal.like(group)
        m.d.comb += last.eq((group + 1) << exact_log2(lanes) >= self.outputs)
        self._follow(m, group, last, end, following)

        # A step goes through the channel memory, and then to the scalers.
        step, read_valid, read_go = Signal(), Signal(), Signal()
        m.d.comb += [
            step.eq((waiting != 0) & self.scale_i.valid & (~read_valid | read_go)),
            self.scale_i.ready.eq(step & end),
            self.i.ready.eq(waiting == 0),
        ]
        with m.If(step):
            m.d.sync += [
                sums.eq(sums.as_value() >> (lanes * spec.lane_sum.size)),
                waiting.eq(Mux(last, 0, waiting - 1)),
                group.eq(following),
            ]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += [sums.eq(self.i.payload), waiting.eq(steps)]

        held = Signal(data.ArrayLayout(signed(spec.sum_bits), lanes))
        scale, triple = Signal(SCALE), Signal(TRIPLES)
        held_last, used = Signal(), Signal(lanes)
        tripled = triples(self.scale_i.payload.mantissa)
        with m.If(step):
            m.d.sync += [
                read_valid.eq(1),
                [held[n].eq(self._whole(sums[n])) for n in range(lanes)],
                scale.eq(self.scale_i.payload),
                [triple[name].eq(value) for name, value in tripled.items()],
                held_last.eq(last),
                used.eq(used_lanes(last, self.outputs, lanes)),
            ]
        with m.Elif(read_go):
            m.d.sync += read_valid.eq(0)
        at_once = spec.channels_at_once
        groups = spec.outputs_max // lanes
        banks = 2 if spec.loads_ahead else 1
        memory = ChannelMemory(CHANNEL, lanes, groups * banks, at_once=at_once)
        self.put(m, "channels", memory)
        address, read_group = self.channel_address, group
        if spec.loads_ahead:
            address += Mux(self.channel_bank, 0, spec.outputs_max)
            read_group += Mux(self.channel_bank, groups, 0)
        m.d.comb += [
            memory.channel_en.eq(self.channel_en),
            memory.channel_address.eq(address),
            memory.channel.eq(self.channel),
            memory.read_en.eq(step),
            memory.group.eq(read_group),
        ]
        channels = memory.values
        m.d.comb += read_go.eq(
            self._scale(m, read_valid, held, scale, triple, channels, held_last, used)
        )

    def _follow(
        self, m: Module, group: Signal, last: Signal, end: Signal, following: Signal
    ) -> None:
        """Say when a token's scale is done with, and which group comes next."""
        if not self.spec.together:
            m.d.comb += [end.eq(last), following.eq(Mux(last, 0, group + 1))]
            return
        steps = exact_log2(self.spec.output_lanes // self.spec.scale_lanes)
        turn, turns_end, tile = Signal(self.together.shape()), Signal(), Signal.like(group)
        m.d.comb += [
            end.eq(last | group[:steps].all()),
            turns_end.eq(turn + 1 >= self.together),
            tile.eq(group & ~((1 << steps) - 1)),  # its first group
            following.eq(group + 1),
        ]
        with m.If(end & ~turns_end):
            m.d.comb += following.eq(tile)
        with m.Elif(last):
            m.d.comb += following.eq(0)
        with m.If(self.scale_i.valid & self.scale_i.ready):
            m.d.sync += turn.eq(Mux(turns_end, 0, turn + 1))

    def _whole(self, part: data.View) -> Value:
        """Return a lane's sum with its carry."""
        place = self.spec.carry_place
        high = part.sum[place:].as_unsigned() + part.carry
        return Cat(part.sum[:place], high)[: self.spec.sum_bits]

    def _scale(self, m: Module, valid, sums, scale, triple, channels, last, used) -> Signal:
        """Put the scalers side by side; return whether they take what is valid."""
        scalers = [OutputScaler(self.spec.sum_bits) for _ in range(self.spec.scale_lanes)]
        for n, scaler in enumerate(scalers):
            self.put(m, f"scaler{n}", scaler)
            m.d.comb += [
                scaler.i.valid.eq(valid),
                scaler.i.payload.sum.eq(sums[n]),
                scaler.i.payload.scale.eq(scale),
                scaler.i.payload.triples.eq(triple),
                scaler.i.payload.channel.eq(channels[n]),
                scaler.i.payload.last.eq(last),
                scaler.i.payload.used.eq(used[n]),
                scaler.o.ready.eq(self.o.ready),
                self.o.payload.lanes[n].eq(scaler.o.payload.y),
                self.o.payload.infinite[n].eq(scaler.o.payload.infinite),
            ]
        # They move as one.
        m.d.comb += [
            self.o.valid.eq(scalers[0].o.valid),
            self.o.payload.last.eq(scalers[0].o.payload.last),
        ]
        taken = Signal()
        m.d.comb += taken.eq(valid & scalers[0].i.ready)
        return taken
