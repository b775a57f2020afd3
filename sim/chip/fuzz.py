"""Made-up programs on a simulated chip, each byte of memory against the golden machine.

``python -m sim.chip.fuzz --programs 10000 --seed 0``; a failure names the seed of its program,
and ``--programs 1`` with that seed repeats it. With ``--flips 1`` a bit of an instruction is
flipped, with ``--flips 2`` two bits of one, which parity does not see.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateware.points.chip import CHIPS
from golden.chip.instruction import BYTES
from golden.chip.machine import Machine
from golden.chip.rules import Fault, FaultError
from golden.chip.shape import ChipShape
from hw.chip.chip_spec import ChipSpec
from sim.chip.generate import built
from sim.harness.chip_run import ChipRun, MemoryModel, Start, Task, run_chips
from sim.kit.random_program import TOKENS, Made, any_program

CHIP = "chip_tiny"
CYCLES = 400_000  # of a program, at most
AT_ONCE = 200  # programs in a process
WILD = 0.1  # chance that an instruction is changed, so that it may be wrong


@dataclass(frozen=True)
class Expected:
    """What the golden machine says of a run: its fault, and the memory behind it."""

    fault: str
    memory: bytes


def expect(made: Made, shape: ChipShape) -> Expected | None:
    """Return what a run comes to, or None where golden does not say: no program may do that."""
    machine = Machine(shape, made.image)
    fault = Fault.NONE
    try:
        while True:
            chosen = machine.run(made.program, made.known)
            if machine.position >= made.limit or (chosen is not None and chosen == made.end_token):
                break
    except FaultError as error:
        fault = error.fault
    except (ValueError, OverflowError, KeyError):
        return None
    return Expected(fault.name.lower(), machine.memory.tobytes())


def task(made: Made, rng: np.random.Generator) -> Task:
    """Return the run of a program against a memory by chance."""
    memory = MemoryModel(
        latency=int(rng.integers(1, 30)),
        gap=int(rng.integers(3) == 0),
        stall=float(rng.choice([0, 0, 0.3])),
        seed=int(rng.integers(1 << 30)),
    )
    start = Start(
        program=made.program,
        tokens=TOKENS,
        known=made.known,
        limit=made.limit,
        end_token=made.end_token,
    )
    return Task(image=made.image, start=start, memory=memory, cycles=CYCLES)


def flipped(made: Made, rng: np.random.Generator, flips: int) -> Made:
    """Return a program with so many bits of one instruction flipped, but for the first one."""
    image = bytearray(made.image)
    at = made.program + BYTES * int(rng.integers(1, len(made.code)))
    for bit in rng.choice(8 * BYTES, flips, replace=False):
        image[at + bit // 8] ^= 1 << bit % 8
    return replace(made, image=bytes(image))


def wrong(run: ChipRun, expected: Expected) -> str:
    """Return what differs; empty if nothing does."""
    if run.fault != expected.fault:
        return f"fault {run.fault} where golden has {expected.fault}"
    bytes_ = [np.frombuffer(memory, np.uint8) for memory in (run.memory, expected.memory)]
    other = np.flatnonzero(bytes_[0] != bytes_[1])
    return f"{len(other)} bytes from {other[0]:#x} on" if other.size else ""


def made_case(seed: int, shape: ChipShape, flips: int) -> tuple[Task, Expected]:
    """Return a program's run, and what it comes to."""
    rng = np.random.default_rng(seed)
    while True:
        made = any_program(rng, shape, wild=0 if flips else WILD)
        if flips:
            made = flipped(made, rng, flips)
        if expected := expect(made, shape):
            return task(made, rng), expected


def fuzz(
    seeds: range, flips: int = 0, spec: ChipSpec = CHIPS[CHIP]
) -> tuple[list[str], dict[str, int]]:
    """Run a program for each seed, with so many bits of an instruction flipped.

    Returns
    -------
    list of str
        What was wrong, with its seed.
    dict of str to int
        How many runs ended with each fault.
    """
    return compare(seeds, [made_case(seed, spec.shape, flips) for seed in seeds], spec)


def compare(
    seeds: Sequence[int], cases: Sequence[tuple[Task, Expected]], spec: ChipSpec
) -> tuple[list[str], dict[str, int]]:
    """Run cases; return as :func:`fuzz` does."""
    found, faults = [], {}
    runs = run_chips(built(CHIP), spec, [one for one, _ in cases])
    for seed, (_, expected), run in zip(seeds, cases, runs, strict=True):
        faults[run.fault] = faults.get(run.fault, 0) + 1
        if text := wrong(run, expected):
            found.append(f"seed {seed}: {text}")
    return found, faults


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m sim.chip.fuzz", description=__doc__)
    parser.add_argument("--programs", type=int, default=1000, help="how many; 1000 by default")
    parser.add_argument("--seed", type=int, default=0, help="of the first one; 0 by default")
    parser.add_argument("--flips", type=int, default=0, help="bits to flip; 0 by default")
    chosen = parser.parse_args()
    found, faults = [], {}
    last = chosen.seed + chosen.programs
    for seed in range(chosen.seed, last, AT_ONCE):
        texts, ended = fuzz(range(seed, min(seed + AT_ONCE, last)), chosen.flips)
        found += texts
        faults = {n: faults.get(n, 0) + ended.get(n, 0) for n in {**faults, **ended}}
        print("\n".join(texts), end="\n" if texts else "", flush=True)
    ends = ", ".join(f"{count} {name}" for name, count in sorted(faults.items()))
    print(f"{chosen.programs} programs, {len(found)} mismatches; faults: {ends}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
