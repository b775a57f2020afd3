"""How words of a memory are asked for in bursts, as AXI4 has them."""

PAGE = 4096  # bytes; no burst may cross a multiple of it (ARM IHI 0022)
BEATS_MAX = 256


def bursts(address: int, words: int, *, word_bytes: int, burst_max: int) -> list[tuple[int, int]]:
    """Return address and beats of each burst that reads or writes words one after the other.

    Bursts end at multiples of ``burst_max`` words, so none crosses a page.

    Parameters
    ----------
    address : int
        Of the first word, in bytes.
    words : int
        How many.
    word_bytes : int
        Bytes of a word, a power of two.
    burst_max : int
        The most beats of a burst, a power of two; a page may have fewer.
    """
    block = min(burst_max * word_bytes, PAGE)
    end = address + words * word_bytes
    starts = [address, *range(address // block * block + block, end, block)]
    ends = [*starts[1:], end]
    return [(a, (b - a) // word_bytes) for a, b in zip(starts, ends, strict=True)]
