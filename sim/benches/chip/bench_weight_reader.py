"""cocotb bench for WeightReader: beats of tokens and of outliers."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.spec import IntArray
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
        self.outlier_lanes = min(2 * int(rng.integers(engine.outliers_max + 1)), self.lanes)
        groups = int(rng.integers(1, engine.groups_max + 1)) if self.outlier_lanes else 0
        self.digits = int(rng.integers(1, engine.residual_digits, endpoint=True))
        self.codes: IntArray = rng.integers(16, size=(tiles, self.beats, self.lanes, self.outputs))
        self.requests: list[dict[str, Any]] = []
        self.answers: list[IntArray] = []
        self.gathers: list[bool] = []  # whether a request's rows are to be gathered
        for tile in range(tiles):
            flat = self.codes[tile].reshape(-1, self.outputs)
            for beat in range(self.beats):
                self._ask(tile, np.arange(self.lanes) + beat * self.lanes, 0, flat)
                self.gathers.append(False)
            for _ in range(groups):
                channels = rng.integers(len(flat), size=self.lanes)
                for digit in range(self.digits):
                    self._ask(tile, channels, 1, flat)
                    self.gathers.append(digit == 0)

    def _ask(self, tile: int, channels: IntArray, outliers: int, flat: IntArray) -> None:
        self.requests.append({"tile": tile, "channels": channels.tolist(), "outliers": outliers})
        self.answers.append(flat[channels][: self.outlier_lanes if outliers else None])

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
        self.spare = 0

    def begin(self, layer: Layer) -> None:
        """Begin to fill the buffer with a layer's tiles and to serve it; what it held is gone."""
        self.layer = layer
        self.halves = [[-1] * layer.beats] * 2
        self._task = cocotb.start_soon(self._run())
        self.bed.tasks.append(self._task)

    def end(self) -> None:
        """End the step."""
        self._task.cancel()

    async def _run(self) -> None:
        bed, layer = self.bed, self.layer
        filled = 0
        while True:
            room = filled < bed.port("released") + 2
            if filled < len(layer.codes) and room and bed.rng.random() >= self.stall:
                self.halves[filled & 1] = layer.stored(filled)
                filled += 1
            bed.set(filled=filled)
            await bed.settled()
            shown = self._read() if bed.get("read__en") else None
            if bed.get("read__row_en"):
                bits = bed.block.spec.row_bits
                place = bed.get("read__lane") * bits
                self.spare &= ~(((1 << bits) - 1) << place)
                self.spare |= bed.get("read__row") << place
            await bed.cycles()
            if shown is not None:
                bed.set(read__data=shown)

    def _read(self) -> int:
        bed = self.bed
        if bed.get("read__gathered"):
            return self.spare
        shown = self.halves[bed.get("read__half")][bed.get("read__beat")]
        assert shown >= 0, "a tile is read that is not there"
        return shown


async def begin(bed: Testbed, buffer: Buffer, layer: Layer) -> None:
    """Begin a step."""
    bed.set(filled=0, outlier_lanes=layer.outlier_lanes, digits=layer.digits)
    await bed.pulse("start")
    buffer.begin(layer)
    bed.send("request_i", layer.requests)


@every_traffic
@cocotb.test(timeout_time=900, timeout_unit="us")
async def answers(dut, traffic: str) -> None:
    """Each request has its codes, in order, though tiles make place for others early."""
    bed = await Testbed(dut).start()
    buffer = Buffer(bed, TRAFFIC[traffic].sink_stall)
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
            np.testing.assert_array_equal(one[: len(expected)], expected, f"request {n}")
        assert bed.port("released") == len(layer.codes) - 1
        buffer.end()
        if traffic == "free":
            check_cycles(bed, layer)


def check_cycles(bed: Testbed, layer: Layer) -> None:
    """Compare with the stated timing, within a tile: the next one may have to come first."""
    taken = np.array(bed.sources["request_i"].taken_at)
    np.testing.assert_array_equal(np.subtract(bed.sinks["o"].valid_at, taken), 1)
    tiles = np.array([one["tile"] for one in layer.requests])
    cycles = 1 + np.array(layer.gathers) * (layer.outlier_lanes + 2)
    within = tiles[1:] == tiles[:-1]
    np.testing.assert_array_equal(np.diff(taken)[within], cycles[1:][within])
