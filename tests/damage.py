"""Damage to files: the same few kinds of it for every format, from a seed that repeats it."""

import os
import random
import re
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from golden.base.errors import InputError

SECONDS = float(os.environ.get("FUZZ_SECONDS", "5"))  # for all kinds of files together
FIRST = int(os.environ.get("FUZZ_SEED", "0"))
SLOW = 5.0  # seconds of the processor's time for one file; that is a hang
MEMORY = 8 << 30  # bytes: a file that claims more than there is must not take the machine along
NUMBER = re.compile(rb"\d+")
# In place of a number n of a header.
NUMBERS = (
    *("0", "1", "-1", "{n}0", "1.5", "1e999", "nan", "null", "true", '"{n}"', "[{n}]"),
    *(str(1 << bits) for bits in (16, 31, 40, 63, 64)),
)


class HangError(BaseException):
    """No reader takes it for a broken file, as it does an OSError."""


def damaged(content: bytes, chance: random.Random, words: Sequence[bytes]) -> bytes:
    """Return content with one to four places changed; ``words`` are what the format knows."""
    for _ in range(chance.randint(1, 4)):
        content = chance.choice(DAMAGES)(content, chance, words)
    return content


def _flip(content: bytes, chance: random.Random, words: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(content) + 1)
    new = chance.choice((0, 255, chance.randrange(256), content[at : at + 1][:1]))
    if isinstance(new, bytes):
        new = (new or b"\0")[0] ^ 1 << chance.randrange(8)
    return content[:at] + bytes([new]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random, words: Sequence[bytes]) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _piece(content: bytes, chance: random.Random, words: Sequence[bytes]) -> bytes:
    """Take a piece out, double it, put it elsewhere, or put a word in its place."""
    at = chance.randrange(len(content) + 1)
    piece = content[at : at + chance.choice((0, 1, 8, 50, 500))]
    rest = content[at + len(piece) :]
    to = chance.randrange(len(rest) + 1)
    return content[:at] + chance.choice(
        (rest, piece + piece + rest, rest[:to] + piece + rest[to:], chance.choice(words) + rest)
    )


def _word(content: bytes, chance: random.Random, words: Sequence[bytes]) -> bytes:
    """Put another word for one that is there: another type, another name."""
    there = [word for word in words if word in content]
    if not there:
        return content
    old = chance.choice(there)
    at = chance.choice([found.start() for found in re.finditer(re.escape(old), content)])
    return content[:at] + chance.choice(words) + content[at + len(old) :]


def _number(content: bytes, chance: random.Random, words: Sequence[bytes]) -> bytes:
    """Change a number that is written in digits, or exchange two: a shape, a length, a place."""
    found = list(NUMBER.finditer(content))
    if not found:
        return content
    one, two = sorted((chance.choice(found), chance.choice(found)), key=lambda n: n.start())
    if chance.random() < 0.5 and one != two:
        between = content[one.end() : two.start()]
        return content[: one.start()] + two[0] + between + one[0] + content[two.end() :]
    new = chance.choice((*NUMBERS, str(int(one[0][:18]) + chance.choice((-1, 1)))))
    return content[: one.start()] + new.format(n=one[0].decode()).encode() + content[one.end() :]


DAMAGES = (_flip, _cut, _piece, _piece, _word, _number, _number)


def damage_all(
    seconds: float, write: Callable[[random.Random], object], check: Callable[[], object]
) -> range:
    """Damage files and have them read, from ``FIRST`` on; return the seeds.

    Parameters
    ----------
    seconds : float
        How long, but at least one seed.
    write : callable
        Writes files that are damaged by chance.
    check : callable
        Reads them. It may raise an InputError; whatever else it raises is a fault.

    Raises
    ------
    AssertionError
        For a fault: with the seed.
    """
    seed, until = FIRST, time.monotonic() + seconds
    with _limited_memory():
        while seed == FIRST or time.monotonic() < until:
            write(random.Random(seed))
            try:
                with _limited_time():
                    check()
            except InputError:
                pass
            except (Exception, HangError) as error:
                raise AssertionError(f"FUZZ_SEED={seed}: {error!r}") from error
            seed += 1
    return range(FIRST, seed)


@contextmanager
def _limited_time() -> Iterator[None]:
    def over(*_: object) -> None:
        raise HangError(f"not read after {SLOW} s")

    before = signal.signal(signal.SIGPROF, over)
    signal.setitimer(signal.ITIMER_PROF, SLOW)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _limited_memory() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
