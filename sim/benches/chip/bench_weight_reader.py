"""cocotb bench for WeightReader: beats of tokens and of outliers."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.spec import IntArray
from hw.chip.tile_buffer import GATHERED
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

STEPS = 6


class Layer:
    """The tiles of a step, what is asked of them, and the answers."""

    def __init__(self, bed: Testbed) -> None:
        rng, engine = bed.rng, bed.block.spec.engine
        self.lanes, self.outputs = engine.inputs_per_beat, engine.output_lanes
        self.beats = int(rng.integers(1, engine.beats_max, endpoint=True))
        tiles = int(rng.integers(1, engine.tiles_max, endpoint=True))
        groups = int(rng.integers(engine.groups_max + 1))
        self.digits = int(rng.integers(1, engine.residual_digits, endpoint=True))
        self.codes: IntArray = rng.integers(16, size=(tiles, self.beats, self.lanes, self.outputs))
        self.requests: list[dict[str, Any]] = []
        self.answers: list[IntArray] = []
        self.gathered: list[int] = []  # beats of outliers
        for tile in range(tiles):
            flat = self.codes[tile].reshape(-1, self.outputs)
            for beat in range(self.beats):
                self._ask(tile, np.arange(self.lanes) + beat * self.lanes, 0, flat)
            for _ in range(groups):
                channels = rng.integers(len(flat), size=self.lanes)
                self.gathered.append(word(flat[channels].ravel()))
                for _ in range(self.digits):
                    self._ask(tile, channels, 1, flat)

    def _ask(self, tile: int, channels: IntArray, outliers: int, flat: IntArray) -> None:
        self.requests.append({"tile": tile, "channels": channels.tolist(), "outliers": outliers})
        self.answers.append(flat[channels])

    def stored(self, tile: int) -> list[int]:
        """Return the beats of a tile as they stand in the buffer."""
        return [word(beat.ravel()) for beat in self.codes[tile]]


def word(codes: IntArray) -> int:
    """Return codes in a word, the first lowest."""
    return sum(int(code) << (4 * n) for n, code in enumerate(codes))


class Buffer:
    """The tile buffer and what fills it: a tile as soon as there may be room for it."""

    def __init__(self, bed: Testbed, stall: float) -> None:
        self.bed, self.stall = bed, stall
        self.halves: list[list[int]] = [[], []]
        self.first = 0  # place of the step's first beat of outliers

    def begin(self, layer: Layer) -> None:
        """Begin to fill the buffer with a layer's tiles and to serve it; what it held is gone."""
        self.layer = layer
        self.halves = [[-1] * layer.beats] * 2
        self._task = cocotb.start_soon(self._run())
        self.bed.tasks.append(self._task)
        self.done = 0  # beats of outliers that are not needed any more

    def end(self) -> None:
        """End the step."""
        self._task.cancel()

    async def _run(self) -> None:
        bed, layer = self.bed, self.layer
        filled, there = 0, False
        while True:
            room = filled < bed.port("released") + 2
            if filled < len(layer.codes) and room and bed.rng.random() >= self.stall:
                self.halves[filled & 1] = layer.stored(filled)
                filled += 1
            there = self.done < len(layer.gathered) and (there or bed.rng.random() >= self.stall)
            bed.set(filled=filled, gathered=int(there))
            await bed.settled()
            shown = self._read() if bed.get("read__en") else None
            done = bed.get("done")
            assert there or not done, "a beat of outliers is given up that was not there"
            self.done += done
            there = there and not done
            await bed.cycles()
            if shown is not None:
                bed.set(read__data=shown)

    def _read(self) -> int:
        bed, layer = self.bed, self.layer
        if bed.get("read__gathered"):
            place = (self.first + self.done) % GATHERED
            assert bed.get("read__place") == place
            return layer.gathered[self.done]
        shown = self.halves[bed.get("read__half")][bed.get("read__beat")]
        assert shown >= 0, "a tile is read that is not there"
        return shown


async def begin(bed: Testbed, buffer: Buffer, layer: Layer) -> None:
    """Begin a step."""
    bed.set(filled=0, digits=layer.digits)
    await bed.pulse("start")
    buffer.begin(layer)
    bed.send("request_i", layer.requests)


@every_traffic
@cocotb.test(timeout_time=900, timeout_unit="us")
async def answers(dut, traffic: str) -> None:
    """Each request has its codes, in order, though tiles make place for others early."""
    bed = await Testbed(dut).start()
    stall = TRAFFIC[traffic].sink_stall
    buffer = Buffer(bed, stall)
    for wait in bed.burst():
        await begin(bed, buffer, Layer(bed))
        await bed.cycles(wait)
        await bed.restart(traffic)
    await bed.restart(traffic)
    for _ in range(STEPS):
        layer = Layer(bed)
        sink, source = bed.sinks["o"], bed.sources["request_i"]
        for each in (sink.items, sink.valid_at, sink.taken_at, source.taken_at):
            each.clear()
        await begin(bed, buffer, layer)
        got = await bed.receive("o", len(layer.answers))
        for n, (one, expected) in enumerate(zip(got, layer.answers, strict=True)):
            np.testing.assert_array_equal(one, expected, f"request {n}")
        assert bed.port("released") == len(layer.codes) - 1
        assert buffer.done == len(layer.gathered)
        buffer.first += buffer.done
        buffer.end()
        if traffic == "free":
            check_cycles(bed, layer)


def check_cycles(bed: Testbed, layer: Layer) -> None:
    """Compare with the stated timing, within a tile: the next one may have to come first."""
    taken = np.array(bed.sources["request_i"].taken_at)
    np.testing.assert_array_equal(np.subtract(bed.sinks["o"].valid_at, taken), 1)
    tiles = np.array([one["tile"] for one in layer.requests])
    # Behind a beat of outliers the next one may be there a cycle later.
    outliers = np.array([one["outliers"] for one in layer.requests])
    within = (tiles[1:] == tiles[:-1]) & ~outliers[1:].astype(bool)
    np.testing.assert_array_equal(np.diff(taken)[within], 1)
