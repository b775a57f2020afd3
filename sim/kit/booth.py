"""Digits of base 4 from -2 to 2, as the multiplying lanes take them."""


def digit_words(value: int, count: int, *, negate: bool = False) -> list[dict[str, int]]:
    """Return the digits of an integer, the lowest first, as they stand on a port.

    Each says of two bits 0 to 3, and 1 more if the next lower bit is set; what is 2 or more of
    them counts 4 less, which that bit of the next digit makes up for.
    """
    words = []
    for n in range(count):
        high, low = value >> (2 * n + 1) & 1, value >> 2 * n & 1
        below = value >> (2 * n - 1) & 1 if n else 0
        digit = low + below - 2 * high
        words.append(
            {
                "negative": int(high != negate),
                "one": int(abs(digit) == 1),
                "two": int(abs(digit) == 2),
                "some": int(digit != 0),
            }
        )
    return words


def magnitudes(words: list[dict[str, int]], *, negative_only: bool = False) -> int:
    """Return the digits' magnitudes, each times its power of 4."""
    return sum(
        (word["one"] + 2 * word["two"]) * 4**n
        for n, word in enumerate(words)
        if word["negative"] or not negative_only
    )
