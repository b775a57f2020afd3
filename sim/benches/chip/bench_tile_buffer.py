"""cocotb bench for TileBuffer: words of weights and keys, rows and beats, in any order."""

import cocotb

from sim.kit.testbed import Testbed

CYCLES = 600


class Model:
    """What the buffer holds: rows of two tiles and of the beat that is gathered."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.spec = bed, bed.block.spec
        engine = self.spec.engine
        self.beats, self.lanes = engine.beats_max, engine.inputs_per_beat
        self.rows = [[0] * self.lanes for _ in range(2 * self.beats + 1)]

    def any_bits(self, bits: int) -> int:
        """Return any word."""
        return int.from_bytes(self.bed.rng.bytes(bits // 8))

    def write(self) -> None:
        """Write a word, a row, or nothing."""
        bed, spec, rng = self.bed, self.spec, self.bed.rng
        half, beat = int(rng.integers(2)), int(rng.integers(self.beats))
        word, data = int(rng.integers(spec.beat_words)), self.any_bits(spec.bus_bits)
        lane, row = int(rng.integers(self.lanes)), self.any_bits(spec.row_bits)
        kind = ("word", "row", "")[int(rng.choice(3, p=[0.6, 0.2, 0.2]))]
        bed.set(write__en=int(kind == "word"), write__half=half, write__beat=beat)
        keys = int(rng.integers(2))
        bed.set(write__word=word, write__data=data, write__keys=keys)
        bed.set(read__row_en=int(kind == "row"), read__lane=lane, read__row=row)
        if kind == "row":
            self.rows[-1][lane] = row
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
        en, half, gathered = int(rng.integers(4) > 0), int(rng.integers(2)), int(rng.integers(4))
        beat = int(rng.integers(self.beats))
        self.bed.set(read__en=en, read__half=half, read__beat=beat)
        self.bed.set(read__gathered=int(gathered == 0))
        place = -1 if gathered == 0 else half * self.beats + beat
        beats = (row << (n * self.spec.row_bits) for n, row in enumerate(self.rows[place]))
        return sum(beats) if en else shown


@cocotb.test(timeout_time=100, timeout_unit="us")
async def reads_and_writes(dut) -> None:
    """Each beat is read as it was before this cycle's write, and stays until the next one."""
    bed = await Testbed(dut).start()
    model = Model(bed)
    shown, seen = -1, set()
    for n in range(CYCLES):
        if n == CYCLES // 2:
            bed.set(write__en=0, read__row_en=0, read__en=0)
            await bed.restart()  # the codes stay
            shown = -1
        following = model.read(shown)
        model.write()
        await bed.settled()
        if shown >= 0:
            assert bed.get("read__data") == shown
            seen.add(shown)
        shown = following
        await bed.cycles(bed.latency)
    assert len(seen) > CYCLES // 4
