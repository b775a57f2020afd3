"""cocotb bench for TileFetcher: tiles ahead of the lookups, and never too far."""

import cocotb
import numpy as np

from golden.chip.instruction import Instruction, Op
from sim.kit.chip_units import Steps, Words
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

MEMORY = 1 << 13
STEPS = 8
LIMIT = 6000  # cycles, whatever pauses
SLOW = 0.97  # chance that a tile is needed for a cycle more


class Buffer:
    """The tile buffer's write side, and the lookups, which release one tile after another."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.stall = bed, 0.0
        self.words: dict[tuple[int, int, int], int] = {}
        self.tiles: list[bytes] = []
        self.size, self.keys = (0, 0), False

    def serve(self) -> None:
        """Begin, after a reset or before a step."""
        self.bed.tasks.append(cocotb.start_soon(self._run()))

    def begin(self, stall: float, words: tuple[int, int], keys: bool) -> None:
        """Expect tiles of so many beats, each of so many words; forget those before."""
        self.stall, self.size, self.keys = stall, words, keys
        self.words, self.tiles = {}, []
        self.bed.set(released=0)

    def _whole(self, half: int) -> bytes:
        """Return a tile as it stands in the buffer."""
        size, (beats, words) = self.bed.block.spec.bus_bytes, self.size
        places = ((half, beat, word) for beat in range(beats) for word in range(words))
        return b"".join(self.words.pop(place).to_bytes(size, "little") for place in places)

    async def _run(self) -> None:
        bed = self.bed
        released = 0
        while True:
            hold = int(bed.rng.random() < self.stall)
            bed.set(hold=hold)
            await bed.settled()
            filled = bed.get("filled")
            busy = bed.get("busy")
            if busy and filled > len(self.tiles):
                self.tiles.append(self._whole(len(self.tiles) & 1))
                assert filled == len(self.tiles)
                assert not self.words, "more was written than the tile"
            if bed.get("write__en"):
                assert not hold
                assert filled < bed.port("released") + 2, "there is no room"
                assert bed.get("write__keys") == self.keys
                assert bed.get("write__half") == filled & 1
                place = tuple(bed.get(f"write__{name}") for name in ("half", "beat", "word"))
                assert place not in self.words, "a word is written twice"
                self.words[place] = bed.get("write__data")
            released = bed.port("released")
            await bed.cycles()
            slow = self.stall and bed.rng.random() < SLOW
            if released < len(self.tiles) and not slow:
                bed.set(released=released + 1)


def any_layer(bed: Testbed) -> Instruction:
    """Return a LINEAR step of some tiles."""
    shape, rng = bed.block.spec.shape, bed.rng
    inputs = int(rng.integers(1, shape.inputs_max, endpoint=True))
    outputs = int(rng.integers(1, shape.outputs_max, endpoint=True))
    size = -(-shape.tile_bytes(inputs) // shape.bus_bytes) * shape.bus_bytes
    return Instruction(
        op=Op.LINEAR,
        count=inputs,
        outputs=outputs,
        keys=bool(rng.integers(2)),
        address=int(rng.integers(MEMORY // 4 // shape.bus_bytes)) * shape.bus_bytes,
        step=size + shape.bus_bytes * int(rng.integers(3)),
    )


@every_traffic
@cocotb.test(timeout_time=600, timeout_unit="us")
async def fetches(dut, traffic: str) -> None:
    """Each tile is written once, whole, to its half, when there is room for it."""
    bed = await Testbed(dut).start()
    spec, outside = bed.block.spec, Words(bed, bed.rng.bytes(MEMORY))
    buffer = Buffer(bed)
    steps = Steps(bed, outside.serve)
    await steps.break_off(traffic, any_layer(bed))
    await bed.restart(traffic)
    outside.serve()
    stall = TRAFFIC[traffic].sink_stall
    buffer.serve()
    asked = []
    for _ in range(STEPS):
        one = any_layer(bed)
        beats = -(-one.count // spec.engine.inputs_per_beat)
        buffer.begin(stall, (beats, spec.beat_words), one.keys)
        before = len(bed.sources["i"].taken_at)
        await steps.run(one, limit=LIMIT)
        await bed.cycles()
        tiles = -(-one.outputs // spec.engine.output_lanes)
        size = spec.shape.tile_bytes(one.count)
        places = [one.address + n * one.step for n in range(tiles)]
        assert buffer.tiles == [outside.memory[at : at + size] for at in places], one.text()
        assert bed.get("filled") == tiles
        asked += [(at, size // spec.bus_bytes) for at in places]
        if traffic == "free" and beats * spec.beat_words >= 4:
            taken_at = bed.sources["i"].taken_at[before:]
            np.testing.assert_array_equal(np.diff(taken_at), 1)
    await bed.receive("request_o", len(asked))
    assert outside.requests == asked
