"""cocotb bench for LookupArray: layers of every shape, with random tables and residual rows."""

from typing import Any

import cocotb
import numpy as np

from sim.kit.buffers import ServedBuffer
from sim.kit.clock import cycle
from sim.kit.codebooks import weight_words
from sim.kit.lookups import (
    CODES,
    entry,
    made_row,
    random_row,
    random_shape,
    table_row,
    token_beats,
    whole,
    wrapped,
)
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined
from sim.kit.traffic import TRAFFIC, Pauses, every_traffic
from sim.kit.words import pack, width

TOKENS = 3


class Layer:
    """A random layer, tokens for it, and their sums."""

    def __init__(self, bed: Testbed, rng: np.random.Generator) -> None:
        spec = self.spec = bed.block.spec
        lanes = spec.inputs_per_beat
        self.shape = random_shape(rng, spec)
        numbers = spec.numbers
        levels = 0 if numbers.made else spec.levels
        self.table = [random_row(rng, spec)["entries"] for _ in range(levels)]
        self.centroids = random_row(rng, spec)["entries"]
        self.beats = token_beats(spec, self.shape)
        words = spec.beats_max, spec.row_words
        self.codes = rng.integers(1 << spec.code_bits, size=(TOKENS, words[0], lanes))
        self.rows = [
            [[random_row(rng, spec) for _ in range(lanes)] for _ in range(words[1])]
            for _ in range(TOKENS)
        ]
        self.weights = rng.integers(CODES, size=(TOKENS, len(self.beats), lanes, spec.output_lanes))

    def sums(self) -> list[list[int]]:
        """Return the sums of every tile."""
        return [
            tile for token in range(TOKENS) for tile in self._tiles(token)
        ]  # fmt: skip

    def _tiles(self, token: int) -> list[list[int]]:
        spec = self.spec
        digits = spec.residual_digits
        tiles = []
        for beat, weights in zip(self.beats, self.weights[token], strict=True):
            if beat["first"]:
                tiles.append(np.zeros(spec.output_lanes, np.int64))
            for lane in range(beat["mask"].bit_length()):
                if beat["compensation"]:
                    row = self.rows[token][beat["address"] * digits + beat["digit"]][lane]
                else:
                    row = self._row(self.codes[token, beat["address"], lane])
                products = np.array([entry(spec, row, int(code)) for code in weights[lane]])
                tiles[-1] += products << (beat["digit"] * spec.numbers.magnitude_bits)
        return [wrapped(tile, spec.sum_bits).tolist() for tile in tiles]

    def _row(self, code: int) -> dict[str, Any]:
        if self.spec.numbers.made:
            return made_row(self.spec, self.centroids, int(code))
        return table_row(self.spec, self.table, int(code))

    def code_words(self) -> list[list[int]]:
        """Return the words of the code buffer."""
        return [
            [joined(word.tolist(), self.spec.code_bits) for word in token] for token in self.codes
        ]

    def row_words(self) -> list[list[int]]:
        """Return the words of the row buffer."""
        row = self.spec.row
        return [
            [joined([pack(row, lane) for lane in word], width(row)) for word in token]
            for token in self.rows
        ]


class Places:
    """Takes tiles; there is a place for each only some time after the one before."""

    def __init__(self, bed: Testbed, stall: float) -> None:
        self.tiles: list[Any] = []
        self.came_at: list[int] = []
        self._pause = Pauses(bed.rng.spawn(1)[0], stall)
        bed.tasks.append(cocotb.start_soon(self._run(bed)))

    async def _run(self, bed: Testbed) -> None:
        room = False
        while True:
            room = room or not self._pause()
            bed.set(room=int(room))
            await bed.settled()
            if bed.get("tile_en"):
                assert room, "a tile came that there is no place for"
                self.tiles.append(bed.get("tile"))
                self.came_at.append(cycle())
                room = not self._pause()
            await bed.cycles()


def begin(bed: Testbed, layer: Layer, stall: float) -> tuple[Any, ...]:
    """Serve a layer's tokens and weights."""
    bed.set(shape=layer.shape)
    if layer.spec.numbers.made:
        bed.set(w_centroids=weight_words(layer.spec, layer.centroids))
    else:
        bed.set(product_table=layer.table)
    bed.send("weight_i", layer.weights.reshape(-1, *layer.weights.shape[2:]).tolist())
    return tuple(
        ServedBuffer(bed, port, words, stall=stall)
        for port, words in (("codes", layer.code_words()), ("rows", layer.row_words()))
    )


@every_traffic
@cocotb.test(timeout_time=80, timeout_unit="us")
async def sums_tiles(dut, traffic: str) -> None:
    """Every tile has its sums, one beat per cycle if nobody pauses."""
    bed = await Testbed(dut).start()
    for _ in range(5):
        layer = Layer(bed, bed.rng)
        await bed.restart()
        begin(bed, layer, 0)
        Places(bed, 0)
        await bed.disturb()
        await bed.restart(traffic)
        began = cycle()
        served = begin(bed, layer, TRAFFIC[traffic].source_stall)
        places = Places(bed, TRAFFIC[traffic].sink_stall)
        expected = layer.sums()
        while len(places.tiles) < len(expected):
            await bed.cycles()
        await bed.cycles(12)
        assert [[whole(layer.spec, part) for part in tile] for tile in places.tiles] == expected
        assert [buffer.released for buffer in served] == [TOKENS, TOKENS]
        if traffic == "free":
            further = [beat["last"] for beat in layer.beats].index(1)
            taken = np.array(bed.sources["weight_i"].taken_at)
            if further + 1 >= bed.block.LATENCY:
                np.testing.assert_array_equal(np.diff(taken), 1)
            else:  # a tile's last beat waits until the tile before has come
                ends = taken[further :: further + 1]
                assert np.diff(ends).max(initial=0) <= bed.block.LATENCY
            assert places.came_at[0] - began == bed.block.LATENCY + further
