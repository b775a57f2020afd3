"""The text: Python's standard library, sources and documentation, parted for training and test.

Whole files go to one side, by a hash of their names, so the parts stay the same whatever the
Python. Left out are tests, generated tables, and what was installed beside the library. The licence
of that text is the PSF's.
"""

import hashlib
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

from golden.base.errors import InputError
from golden.models.lm.tokens import Tokens, encode, load_tokenizer, windows

# One file in so many is kept for evaluation.
HELD_OUT_SHARE = 20
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "encodings"}
LEFT_OUT |= {"pydoc_data", "__pycache__"}


def documents(*, held_out: bool) -> list[str]:
    """Return the texts of one side, ordered by name: sources, then documentation topics."""
    return [text for name, text in _all_documents() if is_held_out(name) == held_out]


def is_held_out(name: str) -> bool:
    """Whether a document is kept for evaluation."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % HELD_OUT_SHARE == 0


def calibration_windows(seed: int, count: int) -> Tokens:
    """Return ``count`` windows of training text, drawn at random.

    Raises
    ------
    InputError
        If there are fewer, or the seed is negative.
    """
    return _drawn(_all_windows(held_out=False), seed, count)


def held_out_windows(seed: int, count: int) -> Tokens:
    """Return ``count`` windows of held-out text, drawn at random; raises as the above does."""
    return _drawn(_all_windows(held_out=True), seed, count)


def _drawn(found: Tokens, seed: int, count: int) -> Tokens:
    if seed < 0:
        raise InputError(f"the seed must be 0 or more, got {seed}")
    if not 1 <= count <= len(found):
        raise InputError(f"the number of windows must be from 1 to {len(found)}, got {count}")
    return found[np.random.default_rng(seed).permutation(len(found))[:count]]


@cache
def _all_windows(*, held_out: bool) -> Tokens:
    """Return all windows of one side; some seconds the first time."""
    return windows(encode(load_tokenizer(), documents(held_out=held_out)))


def _all_documents() -> Iterator[tuple[str, str]]:
    root = Path(sysconfig.get_path("stdlib"))
    paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    for name in sorted(paths):
        if not LEFT_OUT & set(name.split("/")) and not name.startswith("_sysconfigdata"):
            yield name, paths[name].read_text(encoding="utf-8", errors="replace")
    for topic in sorted(topics):
        yield f"topics/{topic}", topics[topic]
