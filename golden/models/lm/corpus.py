"""The text: Python's standard library, sources and documentation, parted for training and test.

Whole files go to one side, by a hash of their names, so the parts stay the same whatever the
Python. Left out are tests, generated tables, and what was installed beside the library. The licence
of that text is the PSF's.
"""

import hashlib
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics

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


def _all_documents() -> Iterator[tuple[str, str]]:
    root = Path(sysconfig.get_path("stdlib"))
    paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*.py")}
    for name in sorted(paths):
        if not LEFT_OUT & set(name.split("/")) and not name.startswith("_sysconfigdata"):
            yield name, paths[name].read_text(encoding="utf-8", errors="replace")
    for topic in sorted(topics):
        yield f"topics/{topic}", topics[topic]
