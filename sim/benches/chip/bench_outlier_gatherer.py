"""cocotb bench for OutlierGatherer: rows from anywhere in a tile, in the order of their beats."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.spec import IntArray
from hw.chip.tile_buffer import GATHERED
from sim.kit.buffers import ServedBuffer
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined
from sim.kit.traffic import TRAFFIC, every_traffic

STEPS = 8


class Layer:
    """The tiles of a step, tokens' outliers, and the beats that they make."""

    def __init__(self, bed: Testbed) -> None:
        rng, engine = bed.rng, bed.block.spec.engine
        self.lanes, self.row_bits = engine.inputs_per_beat, bed.block.spec.row_bits
        self.outputs = int(rng.integers(1, engine.outputs_max, endpoint=True))
        tiles = -(-self.outputs // engine.output_lanes)
        inputs = engine.beats_max * self.lanes
        self.rows = [[self._row(rng) for _ in range(inputs)] for _ in range(tiles)]
        self.count = 2 * int(rng.integers(engine.outliers_max, endpoint=True))
        self.together = int(rng.integers(1, engine.tokens_together, endpoint=True))
        self.channels: IntArray = rng.integers(inputs, size=(self.together, self.count))
        groups = range(0, self.count, self.lanes)
        self.beats = [
            (tile, [self.rows[tile][n] for n in token[first : first + self.lanes]])
            for tile in range(tiles)
            for token in self.channels
            for first in groups
        ]

    def _row(self, rng: np.random.Generator) -> int:
        return int.from_bytes(rng.bytes(self.row_bits // 8))

    def positions(self, bits: int) -> list[list[int]]:
        """Return the words of each token's outliers."""
        return [
            [
                joined(token[first : first + self.lanes].tolist(), bits)
                for first in range(0, max(self.count, 1), self.lanes)
            ]
            for token in self.channels
        ]


class Around:
    """The tile buffer, what fills it, and what reads the gathered beats."""

    def __init__(self, bed: Testbed, layer: Layer, stall: float) -> None:
        self.bed, self.layer, self.stall = bed, layer, stall
        self.read = 0  # beats that were given up
        self.places = [[0] * layer.lanes for _ in range(GATHERED)]
        self.filled, self.released = 0, 0
        bits = bed.block.spec.engine.position_bits
        before = len(bed.tasks)
        ServedBuffer(bed, "outliers", layer.positions(bits), stall=stall)
        bed.tasks.append(cocotb.start_soon(self._run()))
        self.tasks = bed.tasks[before:]

    async def _run(self) -> None:
        bed, layer = self.bed, self.layer
        shown: tuple[int, int] | None = None
        while True:
            if self.filled < min(len(layer.rows), self.released + 2) and not self._pauses():
                self.filled += 1
            bed.set(filled=self.filled)
            await bed.settled()
            assert bool(shown) == bed.get("rows__write_en"), "a row is written when it is there"
            done = int(bed.get("gathered") and not self._pauses())
            bed.set(done=done)
            if done:
                self._take()
            if shown:
                half, beat = shown
                tile = max(t for t in range(self.filled) if t & 1 == half)
                row = layer.rows[tile][beat * layer.lanes + bed.get("rows__lane")]
                bed.set(rows__row=row)
                self.places[bed.get("rows__place")][bed.get("rows__write_lane")] = row
            shown = (bed.get("rows__half"), bed.get("rows__beat")) if bed.get("rows__en") else None
            await bed.cycles()
            bed.set(done=0)

    def _pauses(self) -> bool:
        return bool(self.bed.rng.random() < self.stall)

    def _take(self) -> None:
        """Compare a beat, and give it up; with its tile's last one, that is released."""
        tile, rows = self.layer.beats[self.read]
        found = self.places[self.read % GATHERED]
        assert found[: len(rows)] == rows, f"beat {self.read}"
        self.read += 1
        following = self.layer.beats[self.read :][:1]
        if not following or following[0][0] != tile:
            self.released = tile + 1


@every_traffic
@cocotb.test(timeout_time=2000, timeout_unit="us")
async def gathers(dut, traffic: str) -> None:
    """Each beat has its rows, tile by tile and token by token; a reset drops all."""
    bed = await Testbed(dut).start()
    stall = TRAFFIC[traffic].sink_stall
    for n, wait in enumerate((*bed.burst(), *[0] * STEPS)):
        layer = Layer(bed)
        sizes: dict[str, Any] = {name: getattr(layer, name) for name in ("outputs", "count")}
        bed.set(together=layer.together, filled=0, done=0, **sizes)
        await bed.restart(traffic)
        around = Around(bed, layer, stall)
        if n < len(bed.burst()):
            await bed.cycles(wait)
            continue
        for _ in range(200 * (len(layer.beats) + 1)):
            if around.read == len(layer.beats):
                break
            await bed.cycles()
        assert around.read == len(layer.beats), "beats are missing"
        await bed.cycles(20)
        assert not bed.port("gathered"), "more beats than there are"
        for task in around.tasks:
            task.cancel()
