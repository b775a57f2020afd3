"""cocotb bench for TileBuffer: words of weights and keys, beats and rows, in any order."""

import cocotb

from hw.chip.tile_buffer import GATHERED
from sim.kit.testbed import Testbed

CYCLES = 600


class Model:
    """What the buffer holds: rows of two tiles, and of beats that are gathered."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.spec = bed, bed.block.spec
        engine = self.spec.engine
        self.beats, self.lanes = engine.beats_max, engine.inputs_per_beat
        self.rows = [[0] * self.lanes for _ in range(2 * self.beats + GATHERED)]

    def any_bits(self, bits: int) -> int:
        """Return any word."""
        return int.from_bytes(self.bed.rng.bytes(bits // 8))

    def write(self) -> None:
        """Write a word, a row, or nothing."""
        bed, spec, rng = self.bed, self.spec, self.bed.rng
        half, beat = int(rng.integers(2)), int(rng.integers(self.beats))
        word, data = int(rng.integers(spec.beat_words)), self.any_bits(spec.bus_bits)
        lane, row = int(rng.integers(self.lanes)), self.any_bits(spec.row_bits)
        kind, keys = (
            ("word", "row", "")[int(rng.choice(3, p=[0.6, 0.2, 0.2]))],
            int(rng.integers(2)),
        )
        bed.set(write__en=int(kind == "word"), write__half=half, write__beat=beat)
        bed.set(write__word=word, write__data=data, write__keys=keys)
        place = int(rng.integers(GATHERED))
        bed.set(rows__write_en=int(kind == "row"), rows__write_lane=lane, rows__write_row=row)
        bed.set(rows__place=place)
        if kind == "row":
            self.rows[2 * self.beats + place][lane] = row
        elif kind == "word" and keys:
            self.write_keys(half * self.beats + beat, word, data)
        elif kind == "word":
            per_word = spec.bus_bits // spec.row_bits
            for n in range(per_word):
                part = data >> (n * spec.row_bits) & ((1 << spec.row_bits) - 1)
                self.rows[half * self.beats + beat][word * per_word + n] = part

    def write_keys(self, place: int, word: int, data: int) -> None:
        """Put a word's codes, output lane by output lane, each in the row of its input lane."""
        per_word = self.spec.bus_bits // 4 // self.lanes  # output lanes
        for n in range(per_word * self.lanes):
            at = 4 * (word * per_word + n // self.lanes)
            row = self.rows[place][n % self.lanes] & ~(15 << at)
            self.rows[place][n % self.lanes] = row | (data >> 4 * n & 15) << at

    def read(self, shown: int) -> int:
        """Read a beat, or not; return what the buffer shows then, without this cycle's write."""
        rng = self.bed.rng
        en, half, gathered = (
            int(rng.integers(4) > 0),
            int(rng.integers(2)),
            int(rng.integers(4) == 0),
        )
        beat, place = int(rng.integers(self.beats)), int(rng.integers(GATHERED))
        self.bed.set(read__en=en, read__half=half, read__beat=beat)
        self.bed.set(read__gathered=gathered, read__place=place)
        at = 2 * self.beats + place if gathered else half * self.beats + beat
        beats = (row << (n * self.spec.row_bits) for n, row in enumerate(self.rows[at]))
        return sum(beats) if en else shown

    def read_row(self) -> int:
        """Ask for a row, or not; return it, or -1."""
        rng = self.bed.rng
        en, half = int(rng.integers(4) > 0), int(rng.integers(2))
        beat, self.lane = int(rng.integers(self.beats)), int(rng.integers(self.lanes))
        self.bed.set(rows__en=en, rows__half=half, rows__beat=beat)
        return self.rows[half * self.beats + beat][self.lane] if en else -1


@cocotb.test(timeout_time=100, timeout_unit="us")
async def reads_and_writes(dut) -> None:
    """Beats and rows are read as they were before this cycle's write, and beats stay."""
    bed = await Testbed(dut).start()
    model = Model(bed)
    shown, row, seen, rows = -1, -1, set(), 0
    for n in range(CYCLES):
        if n == CYCLES // 2:
            bed.set(write__en=0, read__en=0, rows__en=0, rows__write_en=0)
            await bed.restart()  # the codes stay
            shown = row = -1
        following = model.read(shown)
        following_row = model.read_row()
        model.write()
        await bed.settled()
        if shown >= 0:
            assert bed.get("read__data") == shown
            seen.add(shown)
        if row >= 0:
            assert bed.get("rows__row") == row
            rows += 1
        shown, row = following, following_row
        lane = model.lane
        await bed.cycles(bed.latency)
        bed.set(rows__lane=lane)
    assert len(seen) > CYCLES // 4
    assert rows > CYCLES // 4
