"""cocotb bench for OutlierGatherer: rows from anywhere in a tile, in the order of their beats."""

from typing import Any

import cocotb
import numpy as np

from golden.exact.spec import IntArray
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
        self.read: list[tuple[int, int]] = []  # tile and word of each beat that was read
        self.filled, self.released = 0, 0
        bits = bed.block.spec.engine.position_bits
        before = len(bed.tasks)
        ServedBuffer(bed, "outliers", layer.positions(bits), stall=stall)
        bed.tasks.append(cocotb.start_soon(self._run()))
        self.tasks = bed.tasks[before:]

    async def _run(self) -> None:
        bed, layer = self.bed, self.layer
        shown: tuple[int, int] | None = None
        taken = False  # a beat, in the cycle before
        while True:
            if self.filled < min(len(layer.rows), self.released + 2) and not self._pauses():
                self.filled += 1
            free, takes = int(not self._pauses()), int(not self._pauses())
            bed.set(filled=self.filled, read__free=free)
            await bed.settled()
            there = bed.get("rows__filled")
            if shown:
                # The row's lane is known in this cycle.
                half, beat = shown
                tile = max(t for t in range(self.filled) if t & 1 == half)
                lane = bed.get("read__lane")
                bed.set(read__row=layer.rows[tile][beat * layer.lanes + lane])
            if taken:
                self._take(bed.get("rows__data"))
            taken = bool(there and takes)
            bed.set(rows__en=int(taken), rows__done=int(taken))
            shown = None
            if bed.get("read__en") and free:
                shown = bed.get("read__half"), bed.get("read__beat")
            await bed.cycles()
            bed.set(rows__en=0, rows__done=0)

    def _pauses(self) -> bool:
        return bool(self.bed.rng.random() < self.stall)

    def _take(self, data: int) -> None:
        """Note a beat; when it is the last of its tile, that is released."""
        tile, rows = self.layer.beats[len(self.read)]
        bits = self.layer.row_bits
        for n, row in enumerate(rows):
            assert data >> n * bits & ((1 << bits) - 1) == row, f"beat {len(self.read)}, row {n}"
        self.read.append((tile, data))
        following = self.layer.beats[len(self.read) :][:1]
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
        bed.set(together=layer.together, filled=0, rows__en=0, rows__done=0, **sizes)
        await bed.restart(traffic)
        around = Around(bed, layer, stall)
        if n < len(bed.burst()):
            await bed.cycles(wait)
            continue
        for _ in range(200 * (len(layer.beats) + 1)):
            if len(around.read) == len(layer.beats):
                break
            await bed.cycles()
        assert len(around.read) == len(layer.beats), "beats are missing"
        await bed.cycles(20)
        assert not bed.port("rows__filled"), "more beats than there are"
        for task in around.tasks:
            task.cancel()
