"""Array of lanes that multiply and accumulate: what all baselines have in common."""

from typing import Any, ClassVar

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring

from hw.baseline.lanes import make_accumulator, make_lane, make_operands
from hw.baseline.mac_spec import MacSpec
from hw.baseline.tile_queue import TileQueue
from hw.stream.component import InStream, OutStream, Sized


class MacArray(Sized[MacSpec]):
    """Multiply activations with weights, beat by beat, and add up each tile's beats.

    The shell is the same for every arithmetic, so that areas differ by that alone: what all
    lanes share is made of the activations once and broadcast; there is a lane and an accumulator
    for each output channel. The pipeline never stops, so its registers need no enable; a beat
    that ends a tile is taken only when there will be a place for the tile.

    Timing
    ------
    Latency : ``spec.latency`` cycles from a tile's last beat to the tile.
    Rate : one beat per cycle while beats come without pause, of tiles of more than
        ``spec.latency / spec.interleave`` beats and with ``o`` taken at once. If ``i`` pauses,
        interleaved beats go on when the accumulators' turn is theirs again.
    Through paths : ``i.payload`` to ``i.ready``, combinational.
    Reset : drops what is under way; the next beat is a tile's first.
    """

    # Ports of a lane, and of what prepares the activations, that are the array's own.
    lane_ports: ClassVar[tuple[str, ...]] = ()
    operand_ports: ClassVar[tuple[str, ...]] = ()

    i = InStream(lambda c: c.spec.beat)
    """Beats, a tile's from first to last. Of FP16, ``spec.interleave`` tiles take turns beat by
    beat; there are always so many, if need be some that nobody needs.
    """
    o = OutStream(lambda c: c.spec.tile)
    """The sums of each tile."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        queue = self.put(m, "queue", TileQueue(spec))
        beat = self.i.payload
        taken = Signal()
        m.d.comb += [
            self.i.ready.eq(self._turn(m, taken) & (queue.room | ~beat.last)),
            taken.eq(self.i.valid & self.i.ready),
            queue.reserve.eq(taken & beat.last),
        ]
        # What is known of the beat whose sum is next to leave the lanes, and of a tile's end.
        valid = _delay(m, taken, spec.lane_cycles - 1, "valid")
        first = _delay(m, beat.first, spec.lane_cycles - 1, "first", reset_less=True)
        m.d.comb += queue.push.eq(_delay(m, queue.reserve, spec.latency - 1, "complete"))

        wires = self._shared(m)
        for n in range(spec.output_lanes):
            lane = make_lane(spec, pipelined=True)
            accumulator = make_accumulator(spec, len(lane.sum))
            self.put(m, f"lane{n}", lane)
            self.put(m, f"accumulator{n}", accumulator)
            m.d.comb += [getattr(lane, name).eq(value) for name, value in wires.items()]
            m.d.comb += [
                *(lane.weights[k].eq(beat.weights[k][n]) for k in range(spec.inputs_per_beat)),
                accumulator.term.eq(lane.sum),
                accumulator.valid.eq(valid),
                accumulator.first.eq(first),
                queue.tile[n].eq(accumulator.total),
            ]
        m.d.comb += self.o.payload.eq(queue.o.payload)
        m.d.comb += [self.o.valid.eq(queue.o.valid), queue.o.ready.eq(self.o.ready)]

    def _turn(self, m: Module, taken: Signal) -> Any:
        """Return whether the accumulator that comes by is the one that the next beat needs."""
        if self.spec.interleave == 1:
            return 1
        passing, wanted = (
            Signal(range(self.spec.interleave), name=n) for n in ("passing", "wanted")
        )
        m.d.sync += [passing.eq(passing + 1), wanted.eq(wanted + taken)]
        return passing == wanted

    def _shared(self, m: Module) -> dict[str, Any]:
        """Return what every lane gets, by the name of its port.

        The lanes take their weights in the beat's cycle; what is made of the activations comes
        one cycle later.
        """
        activations = self.i.payload.activations
        wires = {name: getattr(self, name) for name in self.lane_ports}
        operands = make_operands(self.spec)
        if operands is None:
            return wires | {"activations": activations}
        self.put(m, "operands", operands, activations=activations)
        for name in self.operand_ports:
            m.d.comb += getattr(operands, name).eq(getattr(self, name))
        for name, member in operands.signature.members.items():
            if member.flow == wiring.Out:
                held = Signal(member.shape, name=name, reset_less=True)
                m.d.sync += held.eq(getattr(operands, name))
                wires[name] = held
        return wires


def _delay(m: Module, value: Any, cycles: int, name: str, *, reset_less: bool = False) -> Any:
    for n in range(cycles):
        held = Signal(name=f"{name}{n + 1}", reset_less=reset_less)
        m.d.sync += held.eq(value)
        value = held
    return value
