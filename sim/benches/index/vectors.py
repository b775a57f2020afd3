"""Vectors on indices, as benches send them."""

from typing import Any

import numpy as np

from golden.exact.index_statistics import INDICES
from sim.kit.testbed import Testbed

LENGTHS = (1, 2, 17, 255, 4096)
Vectors = list[tuple[np.ndarray, np.ndarray]]


def index_vectors(bed: Testbed, count: int) -> Vectors:
    """Return indices and which of them count, (beats, lanes) each: so many, and special ones.

    The longest of one index, one of which nothing counts, those of all lengths that matter, whose
    last beat is not full, and others of any length.
    """
    lanes, longest = bed.block.lanes, bed.block.longest // bed.block.lanes
    shape = (longest, lanes)
    vectors = [
        (np.full(shape, INDICES - 1), np.ones(shape, np.bool_)),
        (np.full((1, lanes), 7), np.zeros((1, lanes), np.bool_)),
    ]
    for length in (n for n in LENGTHS if n <= bed.block.longest):
        beats = -(-length // lanes)
        indices = bed.rng.integers(INDICES, size=(beats, lanes))
        vectors.append((indices, (np.arange(beats * lanes) < length).reshape(beats, lanes)))
    count += len(vectors)
    while len(vectors) < count:
        shape = (int(bed.rng.integers(1, min(longest, 9), endpoint=True)), lanes)
        lowest = int(bed.rng.integers(INDICES))
        vectors.append((bed.rng.integers(lowest, INDICES, shape), bed.rng.random(shape) < 0.8))
    return vectors


def index_beats(vectors: Vectors) -> list[dict[str, Any]]:
    """Return the beats of some vectors, one after another."""
    return [
        {
            "indices": beat,
            "used": int((mask << np.arange(len(mask))).sum()),
            "last": int(n == len(indices) - 1),
        }
        for indices, used in vectors
        for n, (beat, mask) in enumerate(zip(indices, used, strict=True))
    ]


def last_taken(bed: Testbed, vectors: Vectors) -> np.ndarray:
    """Return in which cycle the last beat of each vector was taken."""
    ends = np.cumsum([len(indices) for indices, _ in vectors]) - 1
    return np.array(bed.sources["i"].taken_at)[ends]
