"""cocotb bench for TileBuffer: words of weights and keys, beats and rows, in any order."""

import cocotb

from sim.kit.testbed import Testbed

CYCLES = 600


class Model:
    """What the buffer holds: rows of two tiles."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.spec = bed, bed.block.spec
        engine = self.spec.engine
        self.beats, self.lanes = engine.beats_max, engine.inputs_per_beat
        self.rows = [[0] * self.lanes for _ in range(2 * self.beats)]
        self.bank = 0  # that was read last

    def any_bits(self, bits: int) -> int:
        """Return any word."""
        return int.from_bytes(self.bed.rng.bytes(bits // 8))

    def write(self) -> None:
        """Write a word, or nothing."""
        bed, spec, rng = self.bed, self.spec, self.bed.rng
        half, beat = int(rng.integers(2)), int(rng.integers(self.beats))
        word, data = int(rng.integers(spec.beat_words)), self.any_bits(spec.bus_bits)
        en, keys = int(rng.random() < 0.8), int(rng.integers(2))
        bed.set(write__en=en, write__half=half, write__beat=beat)
        bed.set(write__word=word, write__data=data, write__keys=keys)
        if en and keys:
            self.write_keys(half * self.beats + beat, word, data)
        elif en:
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
        en, half = int(rng.integers(4) > 0), int(rng.integers(2))
        beat = int(rng.integers(self.beats))
        # What is shown stays as long as it waits, whatever rows are read.
        waits = int(not en and rng.random() < 0.8)
        self.bed.set(read__en=en, read__half=half, read__beat=beat, read__waits=waits)
        self.busy = {beat % 2} if en else {self.bank} if waits else set()
        if en:
            self.bank = beat % 2
        rows = enumerate(self.rows[half * self.beats + beat])
        if not en:
            return shown if waits else -1
        return sum(row << (n * self.spec.row_bits) for n, row in rows)

    def read_row(self) -> int:
        """Ask for a row, or not; return it if its bank is free, and else -1."""
        rng = self.bed.rng
        en, half = int(rng.integers(4) > 0), int(rng.integers(2))
        beat = int(rng.integers(self.beats))
        self.bed.set(rows__en=en, rows__half=half, rows__beat=beat)
        self.free = beat % 2 not in self.busy
        self.lane = int(rng.integers(self.lanes))
        return self.rows[half * self.beats + beat][self.lane] if en and self.free else -1


@cocotb.test(timeout_time=100, timeout_unit="us")
async def reads_and_writes(dut) -> None:
    """Beats and rows are read as they were before this cycle's write; a beat that waits stays."""
    bed = await Testbed(dut).start()
    model = Model(bed)
    shown, row, seen, rows = -1, -1, set(), 0
    for n in range(CYCLES):
        if n == CYCLES // 2:
            bed.set(write__en=0, read__en=0, rows__en=0)
            await bed.restart()  # the codes stay
            shown = row = -1
            model.bank = 0
        following = model.read(shown)
        following_row = model.read_row()
        model.write()
        await bed.settled()
        assert bed.get("rows__free") == model.free
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
