"""Tries every function of a function unit on every FP16 number: bare C++ around its model.

The reference is the golden function; ``tests/test_functions.py`` has that against float64.

    python -m sim.harness.function_sweep function_unit
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from gateware.points import point
from golden.base.errors import InputError, ToolError
from hw.stream.share import looked_at
from hw.vector.function_unit import KNOWN
from sim.harness.fp16_sweep import ALL, Sweep, build, sweep

SEED = 20261127


def function_sweep(name: str, folder: Path | None = None) -> Sweep:
    """Compare a unit with golden on all inputs of all its functions, in an order by chance.

    Raises
    ------
    InputError, ToolError
        As :func:`sim.harness.fp16_sweep.build`.
    """
    program = build(name, folder)
    numbers = np.arange(ALL).astype(np.uint16)
    unit: Any = looked_at(point(name).make())
    cases = [
        np.stack([numbers, np.full_like(numbers, n), KNOWN[function](numbers)], axis=1)
        for n, function in enumerate(unit.functions)
    ]
    shuffled = np.random.default_rng(SEED).permutation(np.concatenate(cases))
    lines = "\n".join(f"{i:x} {function:x} {o:x} 0" for i, function, o in shuffled.tolist())
    return sweep(program, "vectors", lines=lines)


def main() -> int:
    """Sweep the unit that the command line names; return the exit status."""
    try:
        done = function_sweep(sys.argv[1] if sys.argv[1:] else "function_unit")
    except (InputError, ToolError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print(done.text, end="\n" if done.text else "")
    print(f"{done.wrong:,} of {done.tried:,} wrong")
    return int(done.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
