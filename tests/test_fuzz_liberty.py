"""Damaged Liberty files: a sentence or a figure, never a traceback, a hang or a silent zero.

``FUZZ_SECONDS=1800`` makes it run as long; a failure names the seed, ``FUZZ_SEED`` repeats it.
"""

import math
import os
import random
import time
from pathlib import Path

from golden.base.errors import InputError
from synth.area.area import units
from synth.libraries.liberty import read
from synth.power.energy import Energies
from tests.test_liberty import LIBRARY

SECONDS = float(os.environ.get("FUZZ_SECONDS", "2"))
FIRST = int(os.environ.get("FUZZ_SEED", "0"))
SLOW = 5.0
PIECES = [
    *('"', "'", "\\", "\\\n", "\n", "\r", "{", "}", "(", ")", ";", ":", ",", "/*", "*/", "//"),
    *("nan", "-1", "1e999", "0", "1e0", "\0", "\u00b5", "true", "dont_use : 1;", "area : -0;"),
    *("[0]", "cell (X) {", "pin (A) {", "values", "ns", "1us", "!", "^", "library (y) {"),
]


def mutated(text: str, chance: random.Random) -> str:
    """Change a few places: something put in, taken out, doubled or moved."""
    for _ in range(chance.randint(1, 4)):
        at, to = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        to = min(to, at + chance.choice((0, 1, 5, 50, 500)))
        put = chance.choice(["", chance.choice(PIECES), text[at:to] * 2])
        text = text[:at] + put + text[to:] or " "
    return text


def test_damaged_files_are_refused_or_right(tmp_path: Path) -> None:
    path, seed, until = tmp_path / "fuzz.lib", FIRST, time.monotonic() + SECONDS
    while seed == FIRST or time.monotonic() < until:
        path.write_text(mutated(LIBRARY, random.Random(seed)), encoding="utf-8")
        began = time.monotonic()
        try:
            library = read([path])
            unit = units(library)
            assert 0 < unit.nand2.area < math.inf, f"seed {seed}: area"
            assert 0 < unit.fo4_ps < math.inf, f"seed {seed}: FO4"
            # What tools are given is read as the same again.
            path.write_text(*library.texts.values(), encoding="utf-8")
            assert list(read([path]).cells) == list(library.cells), f"seed {seed}: cells"
            Energies(library)
        except InputError:
            pass
        except AssertionError:
            raise
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        assert time.monotonic() - began < SLOW, f"seed {seed}: slow"
        seed += 1
    print(f"seeds {FIRST} to {seed - 1}")
