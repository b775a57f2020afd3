"""Verilog whose registers and memories begin with noise: a reset must be enough for all of them."""

import re

import numpy as np

REGISTER = re.compile(r"^(  initial (?!\\\$start)\S+ *= )(\d+)'h[0-9a-f]+;$", re.M)
MEMORY = re.compile(r"^(    (?P<name>\S+) ?\[\d+\] = )(\d+)'h[0-9a-f]+;$", re.M)


def noisy_start(text: str, seed: int) -> str:
    """Return a design's Verilog with other initial values, of a seed's choice.

    A memory that is never written keeps its words: they are not a state.
    """
    rng = np.random.default_rng(seed)

    def noise(bits: str) -> str:
        value = int.from_bytes(rng.bytes(int(bits) // 8 + 1)) % (1 << int(bits))
        return f"{bits}'h{value:x};"

    def word(found: re.Match[str]) -> str:
        if not re.search(rf"^ +{re.escape(found['name'])} ?\[.*\] ?<= ", text, re.M):
            return found[0]
        return found[1] + noise(found[3])

    return MEMORY.sub(word, REGISTER.sub(lambda found: found[1] + noise(found[2]), text))
