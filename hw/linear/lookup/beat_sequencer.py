"""Beat sequencer: the order in which a token's beats are worked on."""

from typing import Any

from amaranth.hdl import Module, Mux, Value

from hw.arith.bits import used_lanes
from hw.engine_spec import EngineSpec
from hw.stream.component import In, OutStream, Sized
from hw.stream.walk import Loop, Walk


def read_on(port: Any, beat: Any, taken: Value) -> list[Any]:
    """Return what lets a buffer's read side follow the beats that are taken."""
    kept = [getattr(port, name).eq(beat[name]) for name in ("keep", "back") if hasattr(port, name)]
    return [port.done.eq(taken & beat.done), *kept]


class BeatSequencer(Sized[EngineSpec]):
    """Step through the tiles of a layer; in each, the main beats, then the compensation.

    Where several tokens are ``together``, each meets a tile before the next tile's turn comes.

    Per token (ceil(K / k_t) + D * ceil(2 k_top / k_t)) * ceil(N / n_t) beats, D the digits of a
    residual row in this layer.

    Timing
    ------
    Latency : 0 cycles from ``available`` to ``o.valid``.
    Rate : one beat per cycle while ``available`` and ``o.ready`` are high, across tokens too.
    Through paths : ``available`` to ``o.valid``, combinational.
    Reset : the next beat is a token's first.
    """

    LATENCY = 0

    shape = In(lambda c: c.spec.shape)
    """Size of the layer. Steady while tokens are under way."""
    together = In(lambda c: c.spec.together)
    """Tokens that meet a tile one behind the other; steady as ``shape``."""
    available = In(1)
    """Whether there is a token to work on."""
    o = OutStream(lambda c: c.spec.beat)
    """Its beats."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, beat, shape = self.spec, self.o.payload, self.shape
        lanes = spec.inputs_per_beat
        walk = self.put(
            m,
            "walk",
            Walk(
                (
                    Loop("tile", spec.outputs_max, spec.output_lanes),
                    *([Loop("token", spec.tokens_together)] if spec.together else []),
                    Loop("branch", 2),
                    Loop("address", max(spec.inputs_max, 2 * spec.outliers_max), lanes),
                    Loop("digit", spec.residual_digits),
                )
            ),
        )
        tile, branch, address, digit = (
            walk.o.payload[name] for name in ("tile", "branch", "address", "digit")
        )

        # What is being stepped through: the token's inputs, or its outliers on both sides.
        compensation = branch.index
        length = Mux(compensation, shape.k_top << 1, shape.inputs)
        m.d.comb += [
            walk.counts.tile.eq(shape.outputs),
            walk.counts.branch.eq(Mux(shape.k_top == 0, 1, 2)),
            walk.counts.address.eq(length),
            walk.counts.digit.eq(Mux(compensation, shape.digits, 1)),
            walk.available.eq(self.available),
            walk.o.ready.eq(self.o.ready),
            self.o.valid.eq(walk.o.valid),
            beat.tile.eq(tile.index),
            beat.compensation.eq(compensation),
            beat.address.eq(address.index),
            beat.digit.eq(digit.index),
            beat.mask.eq(used_lanes(address.last, length, lanes)),
            beat.first.eq(branch.first & address.first),
            beat.last.eq(branch.ends),
            beat.done.eq(branch.ends if spec.together else tile.ends),
        ]
        if spec.together:
            m.d.comb += [
                walk.counts.token.eq(self.together),
                beat.keep.eq(~tile.last),
                beat.back.eq(walk.o.payload.token.last),
            ]
