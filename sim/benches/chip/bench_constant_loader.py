"""cocotb bench for ConstantLoader: load words, and channels with and without biases."""

from typing import Any

import cocotb
import numpy as np

from golden.chip.constants import LoadWord
from golden.chip.instruction import Instruction, Op
from golden.chip.machine import Machine
from golden.exact.cache_codes import scale_of
from hw.linear.shell.layer_constants import Select
from sim.kit.chip_units import Parts, Steps
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.words import unpack

STEPS = 12
COUNT_MOST = 20
LIMIT = 2000  # cycles, whatever pauses


class Work:
    """A step, the memory that it reads, and the load words that it makes."""

    def __init__(self, bed: Testbed) -> None:
        self.bed, self.spec, rng = bed, bed.block.spec, bed.rng
        self.channels = rng.random() < 0.5
        self.count = int(rng.integers(1, COUNT_MOST, endpoint=True))
        fields: dict[str, Any] = {"op": Op.CONSTANTS}
        if self.channels:
            places = int(rng.integers(-30, 31))
            fields = {"op": Op.CHANNELS, "scaled": rng.random() < 0.5, "extra": places & 0xFF}
        self.data = self._channels() if self.channels else self._words()
        self.data += bytes(-len(self.data) % self.spec.bus_bytes)
        self.one = Instruction(count=self.count, **fields)
        self.parts = -(-self.count // (self.at_once if self.channels else 1))
        unit = (4 if self.one.scaled else 2) if self.channels else LoadWord.BYTES
        self.request = (0, -(-self.count * unit // self.spec.bus_bytes))

    @property
    def at_once(self) -> int:
        """Channels of a load word."""
        return self.spec.engine.channels_at_once

    def _channels(self) -> bytes:
        """Return normal, positive scales, and any biases where they stand between them."""
        numbers = self.bed.rng.integers(0x0400, 0x7C00, 2 * COUNT_MOST)
        return numbers.astype("<u2").tobytes()

    def _words(self) -> bytes:
        """Return load words of sizes and centroids; outliers are what the engine can have."""
        rng, words = self.bed.rng, b""
        for _ in range(self.count):
            select = int(rng.choice([LoadWord.SIZE, LoadWord.CENTROID, LoadWord.LEVEL]))
            address, word = int(rng.integers(8)), int(rng.integers(1 << 40))
            if (select, address) == (LoadWord.SIZE, LoadWord.K_TOP):
                word = int(rng.integers(self.spec.engine.outliers_max, endpoint=True))
            words += LoadWord.pack(select, address, word)
        return words

    def outliers(self, before: int) -> int:
        """Return what the loader says of outliers when it is done."""
        for select, address, word in self.load_words():
            if (select, address) == (LoadWord.SIZE, LoadWord.K_TOP):
                before = 2 * word
        return before

    def load_words(self) -> list[tuple[int, int, int]]:
        """Return load words of CONSTANTS; those of CHANNELS are none."""
        words = np.frombuffer(self.data, "<u8")[: 0 if self.channels else self.count].tolist()
        return [(word & 7, word >> 8 & 0xFFFF, word >> 24) for word in words]

    def check(self, got: list[dict[str, int]]) -> None:
        """Compare what came out."""
        assert len(got) == self.parts, self.one.text()
        if not self.channels:
            expected = self.load_words()
            assert [tuple(int(v) for v in one.values()) for one in got] == expected
            return
        machine = Machine(self.spec.shape, self.data + bytes(4 * COUNT_MOST))
        machine.channels(self.one)
        loaded = machine.loaded
        scales = scale_of(loaded.scales, loaded.places)
        for n, bias in enumerate(loaded.biases.tolist()):
            load = got[n // self.at_once]
            address = n - n % self.at_once
            assert (load["select"], load["address"]) == (Select.CHANNEL.value, address)
            channel = unpack(self.spec.engine.channel, load["word"])[n % self.at_once]
            mantissa, exponent = int(scales.mantissa[n]), int(scales.exponent[n])
            assert channel == {"bias": bias, "mantissa": mantissa, "exponent": exponent}


@every_traffic
@cocotb.test(timeout_time=600, timeout_unit="us")
async def loads(dut, traffic: str) -> None:
    """Each step makes its load words, in order, and the outliers are told."""
    bed = await Testbed(dut).start()
    work = Work(bed)
    outside = Parts(bed, work.data)
    steps = Steps(bed, outside.serve)
    await steps.break_off(traffic, work.one)
    await bed.restart(traffic)
    outside.serve()
    outliers, done, asked, parts = 0, 0, [], []
    assert bed.get("outliers") == 0
    for _ in range(STEPS):
        work = Work(bed)
        outside.memory = work.data
        busy = await steps.run(work.one, limit=LIMIT)
        work.check(bed.sinks["load_o"].items[done:])
        done += work.parts
        outliers = work.outliers(outliers)
        assert bed.get("outliers") == outliers
        asked.append(work.request)
        parts.append(work.parts)
        if traffic == "free":
            assert busy == work.parts + 1  # in which memory sees that it began
    await bed.receive("load_o", done)
    assert outside.requests == asked
    assert outside.taken == parts
