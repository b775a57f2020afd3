"""Compensation sequencer: the order in which a token's outliers are multiplied."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.linear.counter.counter_spec import CounterSpec
from hw.stream.component import In, Out, OutStream, Sized
from hw.stream.walk import Loop, Walk


class CompensationSequencer(Sized[CounterSpec]):
    """Step through the groups of output channels, and in each through a token's outliers.

    With the outliers inside, only a group's sums are under way, not those of all channels.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one beat per cycle while ``available`` and ``o.ready`` are high, across tokens too.
    Through paths : ``available`` to ``o.valid``; it and ``o.ready`` to ``done``; combinational.
    Reset : the next beat is a token's first.
    """

    LATENCY = 0

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    available = In(1)
    """Whether there is a token to work on."""
    o = OutStream(lambda c: c.spec.compensation_beat)
    """Its beats, one for each outlier and group; ``address`` is the outlier's number."""
    done = Out(1)
    """Strobe: the token is not needed any more, after this cycle's beat; at once if it has no
    outliers.
    """

    def loops(self) -> tuple[Loop, ...]:
        """Return what is stepped through, the outermost first."""
        spec = self.spec
        return (
            Loop("group", spec.outputs_max, spec.group_channels),
            Loop("address", 2 * spec.outliers_max),
        )

    def follow(self, m: Module, walk: Walk) -> None:
        """Say how often a loop is gone through, and what is worked on in each pass."""
        spec, beat = self.spec, self.o.payload
        group = walk.o.payload.group
        # Output channels of this group and of those behind it, and their tiles.
        left, tiles = (Signal.like(self.shape.outputs, name=name) for name in ("left", "tiles"))
        m.d.comb += [
            walk.counts.group.eq(self.shape.outputs),
            left.eq(self.shape.outputs - (group.index << exact_log2(spec.group_channels))),
            tiles.eq((left + (spec.output_lanes - 1)) >> exact_log2(spec.output_lanes)),
            beat.group.eq(group.index),
            beat.tiles.eq(Mux(group.last, tiles, spec.compensation_macs)),
            beat.token_last.eq(group.ends),
        ]

    def build(self, m: Module) -> None:  # noqa: D102
        beat = self.o.payload
        walk = self.put(m, "walk", Walk(self.loops()))
        address, some = walk.o.payload.address, Signal()
        m.d.comb += [
            some.eq(self.shape.k_top != 0),
            walk.counts.address.eq(self.shape.k_top << 1),
            walk.available.eq(self.available & some),
            walk.o.ready.eq(self.o.ready),
            self.o.valid.eq(walk.o.valid),
            beat.address.eq(address.index),
            beat.first.eq(address.first),
            beat.last.eq(address.last),
            self.done.eq(walk.done | (self.available & ~some)),
        ]
        self.follow(m, walk)
