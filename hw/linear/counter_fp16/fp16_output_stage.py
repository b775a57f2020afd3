"""FP16 output stage: both branches' sums, scaled and biased, a few per cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.utils import exact_log2

from golden.exact.fp16 import INFINITY
from hw.arith.bits import used_lanes
from hw.linear.counter_fp16.fp16_combine import Fp16Combine
from hw.linear.counter_fp16.fp16_counter_spec import FP16_CHANNEL, Fp16CounterSpec
from hw.stream.channel_memory import ChannelMemory
from hw.stream.component import In, InStream, OutStream, Sized
from hw.stream.credit_queue import CreditQueue
from hw.stream.pipeline import later


class Fp16OutputStage(Sized[Fp16CounterSpec]):
    """Turn tiles of FP16 sums into the layer's outputs.

    Bit-exact with :func:`golden.exact.counter_fp16.combine`. Nothing waits within the arithmetic:
    what goes in has a place in a queue behind it.

    Timing
    ------
    Latency : ``LATENCY`` cycles from a transfer on ``i`` to ``o.valid``, with the scale there.
    Rate : one beat per cycle while ``o.ready`` is high; a tile every n_t / scale_lanes + 1
        cycles.
    Through paths : ``scale_i.valid`` to ``scale_i.ready``, ``i.valid`` to
        ``compensation_i.ready``, ``compensation_i.valid`` to ``i.ready``; combinational.
    Reset : drops the outputs under way; the next tile is a token's first.
    """

    UNDER_WAY = 1 + Fp16Combine.LATENCY  # cycles from a step to the queue
    LATENCY = 1 + UNDER_WAY + 2
    PLACES = LATENCY + 1

    outputs = In(lambda c: range(c.spec.outputs_max + 1))
    """N, the number of output channels. This and the next are steady while tokens are under way."""
    compensated = In(1)
    """Whether tokens have outliers; if not, ``compensation_i`` is not waited for."""
    channel_en = In(1)
    """Strobe: writes ``channel`` to output channel ``channel_address``."""
    channel_address = In(lambda c: range(c.spec.outputs_max))
    """Output channel."""
    channel = In(FP16_CHANNEL)
    """Its scale and bias."""
    scale_i = InStream(16)
    """FP16 scale of each token; taken with its last outputs."""
    i = InStream(lambda c: c.spec.tile)
    """Sums over all pairs."""
    compensation_i = InStream(lambda c: c.spec.compensation_tile)
    """Sums over the outliers of the same channels."""
    o = OutStream(lambda c: c.beat)
    """``scale_lanes`` outputs, the lowest channel first; what is beyond N does not matter. ``last``
    marks the token's last beat, ``infinite`` the lanes within N whose output is infinite or not a
    number.
    """

    def __init__(self, spec: Fp16CounterSpec) -> None:
        lanes = spec.scale_lanes
        self.beat = data.StructLayout(
            {"lanes": data.ArrayLayout(16, lanes), "infinite": lanes, "last": 1}
        )
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        lanes = spec.scale_lanes
        steps = spec.output_lanes // lanes
        main, compensation = Signal(spec.tile), Signal(spec.compensation_tile)
        waiting = Signal(range(steps + 1))  # steps of the tile that are left
        group = Signal(range(max(spec.outputs_max // lanes, 2)))  # of scale_lanes channels
        last, step, room = Signal(), Signal(), Signal()
        m.d.comb += [
            last.eq((group + 1) << exact_log2(lanes) >= self.outputs),
            step.eq((waiting != 0) & self.scale_i.valid & room),
            self.scale_i.ready.eq(step & last),
            self.i.ready.eq((waiting == 0) & (self.compensation_i.valid | ~self.compensated)),
            self.compensation_i.ready.eq((waiting == 0) & self.i.valid & self.compensated),
        ]
        with m.If(step):
            m.d.sync += [
                main.eq(main.as_value() >> (16 * lanes)),
                compensation.eq(compensation.as_value() >> (16 * lanes)),
                waiting.eq(Mux(last, 0, waiting - 1)),
                group.eq(Mux(last, 0, group + 1)),
            ]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += [
                main.eq(self.i.payload),
                compensation.eq(Mux(self.compensated, self.compensation_i.payload.as_value(), 0)),
                waiting.eq(steps),
            ]

        # What the step's channels have comes a cycle later.
        held = Signal(data.ArrayLayout(32, lanes), reset_less=True)
        scale = Signal(16, reset_less=True)
        m.d.sync += [
            held.eq(Cat(Cat(main[n], compensation[n]) for n in range(lanes))),
            scale.eq(self.scale_i.payload),
        ]
        memory = self.put(
            m,
            "channels",
            ChannelMemory(FP16_CHANNEL, lanes, spec.outputs_max // lanes),
            channel_en=self.channel_en,
            channel_address=self.channel_address,
            channel=self.channel,
        )
        m.d.comb += [memory.read_en.eq(step), memory.group.eq(group)]
        channels = memory.values
        results = []
        for n in range(lanes):
            combine = self.put(m, f"combine{n}", Fp16Combine(), main=held[n][:16], scale=scale)
            m.d.comb += [
                combine.w_scale.eq(channels[n].scale),
                combine.compensation.eq(held[n][16:]),
                combine.bias.eq(channels[n].bias),
            ]
            results.append(combine.o)
        self._queue(m, results, step, last, room)

    def _queue(self, m: Module, results: list, step: Signal, last: Signal, room: Signal) -> None:
        """Keep outputs until they are wanted, and say whether another step has a place."""
        lanes = self.spec.scale_lanes
        queue = self.put(m, "queue", CreditQueue(self.beat, self.PLACES))
        wiring.connect(m, queue.o, wiring.flipped(self.o))

        used = Signal(lanes)
        m.d.comb += used.eq(used_lanes(last, self.outputs, lanes))
        within = later(m, used, self.UNDER_WAY)
        beat = Signal(self.beat)
        m.d.comb += [
            beat.last.eq(later(m, last, self.UNDER_WAY)),
            room.eq(queue.room),
            queue.reserve.eq(step),
            queue.item.eq(beat),
            queue.push.eq(later(m, step, self.UNDER_WAY, reset_less=False)),
        ]
        for n, result in enumerate(results):
            beyond = (result & INFINITY) == INFINITY
            m.d.comb += [beat.lanes[n].eq(result), beat.infinite[n].eq(beyond & within[n])]
