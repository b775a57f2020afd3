"""cocotb bench for SortedList: random insertions, pops and clears against a Python list."""

import cocotb

from sim.testbed import Testbed

CYCLES = 3000


class Model:
    """What the list should hold, largest first."""

    def __init__(self, entries: int) -> None:
        self.entries = entries
        self.held: list[tuple[int, int]] = []

    def step(self, *, insert: int, pop: int, clear: int, key: int, position: int) -> None:
        """Do what one cycle asks for."""
        if clear:
            self.held = []
        elif pop:
            self.held = self.held[1:]
        elif insert:
            place = sum(held >= key for held, _ in self.held)
            self.held.insert(place, (key, position))
            self.held = self.held[: self.entries]


@cocotb.test(timeout_time=100, timeout_unit="us")
async def follows_model(dut) -> None:
    """Head, fullness and threshold are the model's after every cycle."""
    bed = await Testbed(dut).start()
    model = Model(bed.block.entries)
    full_seen = 0
    for n in range(CYCLES):
        spread = (3, 1 << 15)[n // 100 % 2]  # by turns few keys, so that many are equal
        step = {
            "insert": int(bed.rng.random() < 0.7),
            "pop": int(bed.rng.random() < 0.15),
            "clear": int(bed.rng.random() < 0.01),
            "key": int(bed.rng.integers(-spread, spread)),
            "position": int(bed.rng.integers(1 << bed.block.position_bits)),
        }
        last = int(bed.rng.integers(model.entries))
        bed.set(**step, last=last)
        await bed.settled()
        full = len(model.held) > last
        full_seen += full
        assert bed.get("full") == full
        if full:
            assert bed.get("threshold") == model.held[last][0]
        if model.held:
            assert tuple(bed.get("head").values()) == model.held[0]
        model.step(**step)
        await bed.cycles()
    assert full_seen > CYCLES / 10


@cocotb.test(timeout_time=2, timeout_unit="us")
async def reset_empties(dut) -> None:
    """Nothing is left after a reset."""
    bed = await Testbed(dut).start()
    bed.set(insert=1, key=5)
    await bed.cycles(3)
    await bed.settled()
    assert bed.get("full")
    bed.set(insert=0)
    await bed.restart()
    await bed.settled()
    assert not bed.get("full")
