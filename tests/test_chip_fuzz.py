"""Made-up programs on the chip's Verilog, against the golden machine; and with bits flipped."""

from dataclasses import replace

import numpy as np
import pytest

from gateware.points.chip import CHIPS
from golden.chip.constants import Constants
from golden.chip.instruction import BYTES, Op
from golden.chip.machine import Machine
from golden.exact.fp16 import BitArray
from sim.chip.fuzz import CHIP, compare, expect, flipped, fuzz, made_case, task
from sim.kit.random_program import any_program

SHAPE = CHIPS[CHIP].shape


def test_programs_leave_what_golden_leaves() -> None:
    found, faults = fuzz(range(40))
    assert not found
    assert faults["none"] > 20
    assert faults["number"] > 2


@pytest.mark.parametrize("flips", [1, 2])
def test_flipped_bits_do_what_golden_does(flips: int) -> None:
    found, faults = fuzz(range(30), flips)
    assert not found
    assert faults["instruction"] > {1: 20, 2: 0}[flips]


@pytest.mark.slow
@pytest.mark.parametrize(("flips", "programs"), [(0, 10_000), (1, 2000), (2, 2000)])
def test_many_programs_leave_what_golden_leaves(flips: int, programs: int) -> None:
    for seed in range(0, programs, 200):
        assert fuzz(range(seed, seed + 200), flips)[0] == []


def test_a_wrong_byte_or_fault_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Constants.channels

    def channels(self: Constants, scales: BitArray, biases: BitArray, places: int) -> bool:
        return taken(self, scales, biases, places) or True

    monkeypatch.setattr(Machine, "gate", Machine.multiply)
    monkeypatch.setattr(Constants, "channels", channels)
    found, _ = fuzz(range(60))
    assert any("bytes from 0x" in text for text in found)
    assert any("fault number where golden has" in text for text in found)


def test_every_operation_is_made() -> None:
    made = [any_program(np.random.default_rng(n), SHAPE, wild=0) for n in range(30)]
    assert {one.op for program in made for one in program.code} == set(Op)


def test_every_flip_of_one_bit_is_refused() -> None:
    rng = np.random.default_rng(0)
    made = any_program(rng, SHAPE, wild=0)
    for _ in range(20):
        other = flipped(made, rng, 1)
        difference = np.bitwise_xor(*(np.frombuffer(m.image, np.uint8) for m in (made, other)))
        (at,) = np.flatnonzero(difference)
        assert int(difference[at]).bit_count() == 1
        assert made.program <= at < made.program + BYTES * len(made.code)
        # The program may have ended before: with a token that ends it, or a number.
        found = expect(other, SHAPE)
        assert found
        assert found.fault in ("instruction", "number", "none")


def test_a_program_without_an_end_runs_to_the_end_of_memory() -> None:
    """Fetching ahead meets the error there; what stands before is carried out."""
    cases = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made = any_program(rng, SHAPE, wild=0)
        image = bytearray(made.image)
        image[made.program + BYTES * (len(made.code) - 1)] ^= 0x18  # of its operation
        other = replace(made, image=bytes(image))
        expected = expect(other, SHAPE)
        assert expected
        cases.append((task(other, rng), expected))
    found, faults = compare(range(20), cases, CHIPS[CHIP])
    assert not found
    assert faults["instruction"] > 5
    assert "memory" not in faults


def test_a_seed_repeats_its_program() -> None:
    assert made_case(7, SHAPE, 1) == made_case(7, SHAPE, 1)
