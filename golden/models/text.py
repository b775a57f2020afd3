"""English text to calibrate and evaluate with: Python's own documentation, or the user's file.

Sentences of everyday English are beside it, from WordNet, for what is to read any text.
"""

from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

from golden.base.errors import InputError

EVERYDAY = Path(__file__).with_name("everyday.txt")  # where it is from, and its licence, too
MIN_WORDS = 12
# Methods and their constants were chosen on the passages that these seeds draw, so many each.
TUNING_SEEDS, TUNING_TEXTS = range(3), 64


def calibration_texts(seed: int, count: int) -> list[str]:
    """Return ``count`` passages to fit codebooks on; none is ever an evaluation passage."""
    return _shuffled(passages()[0::2], seed, count)


def everyday_texts() -> list[str]:
    """Return short sentences of everyday English, to fit codebooks on, always the same."""
    lines = EVERYDAY.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def evaluation_texts(seed: int, count: int | None = None, *, tuning: bool = False) -> list[str]:
    """Return ``count`` passages (all by default) to measure on, of which none ever calibrates.

    No method was chosen on them; with ``tuning`` they are those that methods are chosen on.
    """
    looked_at = _looked_at()
    seen = set(looked_at)
    texts = looked_at if tuning else [text for text in passages()[1::2] if text not in seen]
    return _shuffled(texts, seed, len(texts) if count is None else count)


def held_out_texts(seed: int, count: int) -> list[str]:
    """Return ``count`` passages of which none ever calibrates, be they looked at or not.

    For what is not about accuracy.
    """
    return _shuffled(passages()[1::2], seed, count)


def passages() -> list[str]:
    """Return the paragraphs of prose in Python's help topics, each once, always in one order.

    The text is that of the running Python, so another release has some other passages.
    """
    found = (" ".join(p.split()) for name in sorted(topics) for p in topics[name].split("\n\n"))
    return [text for text in dict.fromkeys(found) if _is_prose(text)]


def texts_from_file(path: Path) -> list[str]:
    """Return the paragraphs (parted by empty lines) of a text file in UTF-8.

    Raises
    ------
    InputError
        If the file cannot be read or holds no word.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text in UTF-8: {error}") from error
    found = [" ".join(p.split()) for p in text.split("\n\n")]
    found = [p for p in found if p]
    if not found:
        raise InputError(f"{path} holds no text; expected at least one word")
    return found


def _looked_at() -> list[str]:
    """Return what methods were chosen on, each passage once."""
    drawn = [text for seed in TUNING_SEEDS for text in held_out_texts(seed, TUNING_TEXTS)]
    return list(dict.fromkeys(drawn))


def _is_prose(text: str) -> bool:
    words = text.split()
    return len(words) >= MIN_WORDS and text[0].isupper() and "::=" not in text


def _shuffled(texts: list[str], seed: int, count: int) -> list[str]:
    if not 1 <= count <= len(texts):
        raise InputError(f"the number of texts must be from 1 to {len(texts)}, got {count}")
    if seed < 0:
        raise InputError(f"the seed must be 0 or more, got {seed}")
    return [texts[i] for i in np.random.default_rng(seed).permutation(len(texts))[:count]]
