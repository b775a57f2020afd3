"""Tokens for the benches of outlier engines, which all have the same ports."""

from typing import Any

import numpy as np

from golden.exact.fp16 import MAX_FINITE, key
from golden.exact.outliers import select_outliers
from golden.exact.spec import IntArray
from sim.kit.corners import finite
from sim.kit.testbed import Testbed

# Twice of each kind: proofs hold for every sequence of keys on small engines.
TOKENS = 16


def tokens_of(bed: Testbed, least: int) -> list[IntArray]:
    """Return tokens of ``least`` to the most inputs: random, with ties, sorted, constant.

    The first has one sign only, so that a zero left over from a reset would come out.
    """
    longest = bed.block.spec.inputs_max
    tokens = []
    for n in range(TOKENS):
        length = longest if n % 3 == 0 else int(bed.rng.integers(least, longest + 1))
        keys = key(finite(bed.rng, (length,)))
        if n == 0:
            keys = bed.rng.choice([-1, 1]) * (abs(keys) + 1) // 2
        elif n % 8 == 1:
            keys = bed.rng.integers(-1, 2, length)
        elif n % 8 == 2:
            keys = np.sort(keys)
        elif n % 8 == 3:
            keys = np.sort(keys)[::-1]
        elif n % 8 == 4:
            keys = np.full(length, bed.rng.choice([-MAX_FINITE, 0, MAX_FINITE]))
        tokens.append(keys)
    return tokens


def beats_of(bed: Testbed, tokens: list[IntArray]) -> list[dict[str, Any]]:
    """Return the beats of some tokens; lanes that do not count hold extremes."""
    lanes = bed.block.spec.values_per_beat
    beats = []
    for token in tokens:
        for start in range(0, len(token), lanes):
            keys = token[start : start + lanes]
            fill = bed.rng.choice([-MAX_FINITE, MAX_FINITE], lanes - len(keys))
            last = int(start + lanes >= len(token))
            mask = (1 << len(keys)) - 1
            beats.append({"keys": [*keys, *fill], "mask": mask, "last": last})
    return beats


def expected(
    tokens: list[IntArray], k_top: int, *, reverse: bool = False
) -> tuple[list[dict], list[dict]]:
    """Return what must come out on either side."""
    sides: tuple[list[dict], list[dict]] = ([], [])
    for token in tokens:
        found = select_outliers(token[None], k_top).reshape(2, k_top)
        for side, positions in zip(sides, found[:, ::-1] if reverse else found, strict=True):
            side += [{"key": int(token[p]), "position": int(p)} for p in positions]
    return sides
