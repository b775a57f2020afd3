"""What made-up programs are made with: numbers of all kinds, and places that they have room at."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from golden.chip.instruction import Index, Instruction, Op
from golden.chip.rules import FACTORS
from golden.chip.shape import ChipShape
from golden.exact import fp16
from golden.exact.fp16 import BitArray

POSITIONS = 8  # that addresses and counts may go by
BLOCK = 2  # tokens behind that at hand
# Where things are: numbers and codes lie in a region that programs write to, too.
TOKENS, DATA, DATA_BYTES = 0, 64, 4096
CONSTANTS = DATA + DATA_BYTES
SPECIAL = np.array([0, 0x8000, 1, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00], np.uint16)
NOT_FINITE = np.array([0x7C00, 0xFC00, 0x7E00, 0xFFFF], np.uint16)


@dataclass
class Maker:
    """Makes a program, instruction by instruction.

    Parameters
    ----------
    rng : Generator
    shape : ChipShape
    """

    rng: np.random.Generator
    shape: ChipShape
    code: list[Instruction] = field(default_factory=list)
    constants: bytearray = field(default_factory=bytearray)

    def some(self, low: int, high: int) -> int:
        """Return a number from ``low`` to ``high``."""
        return int(self.rng.integers(low, high + 1))

    def may(self, chance: float) -> bool:
        """Return whether something happens by chance."""
        return bool(self.rng.random() < chance)

    def do(self, op: Op, **fields: Any) -> None:
        """Append an instruction, at times of another token of a block."""
        if op != Op.NEXT and self.may(0.1):
            fields["token"] = self.some(1, BLOCK)
        if op in FACTORS and self.may(0.5):
            fields["slot"] = self.some(0, self.shape.tokens_together - 1)
        self.code.append(Instruction(op=op, **fields))

    def numbers(self, count: int) -> BitArray:
        """Return FP16 numbers: of a model's size, some special, or any at all."""
        kind = self.some(0, 9)
        found = fp16.to_bits(self.rng.normal(size=count) * 2.0 ** self.some(-4, 3))
        if kind >= 5:
            special = SPECIAL if kind < 9 else np.concatenate([SPECIAL, NOT_FINITE])
            found = np.where(self.rng.random(count) < 0.05, self.rng.choice(special, count), found)
        if kind == 8:
            found = np.where(self.rng.random(count) < 0.5, found & 0x83FF, found)
        return found.astype(np.uint16)

    def put(self, content: bytes) -> int:
        """Put constants into memory; return their address."""
        address = CONSTANTS + len(self.constants)
        self.constants += content + bytes(-len(content) % self.shape.bus_bytes)
        return address

    # Places.

    def place(self, size: int, aligned: int) -> dict[str, Any]:
        """Return address, index and stride of so many bytes among the data."""
        index = Index(self.some(0, 3)) if self.may(0.5) else Index.NONE
        most = {Index.NONE: 0, Index.POSITION: POSITIONS, Index.TOKEN: 7, Index.TILE: 1}[index]
        stride = aligned * self.some(0, 8) if index else 0
        last = DATA_BYTES - size - most * stride
        return {
            "address": DATA + aligned * self.some(0, last // aligned),
            **{"index": index, "stride": stride},
        }

    def word(self, count: int) -> int:
        """Return a word of the vector memory from which on so many numbers have room."""
        return self.some(0, self.shape.vector_words - self.shape.words(count))

    def count(self, even: bool = False) -> dict[str, Any]:
        """Return how many numbers there are: mostly few, at times as many as positions."""
        if not even and self.may(0.15):
            return {"grows": True, "count": self.some(0, 99), "whole": self.may(0.3)}
        most = self.shape.vector_words * self.shape.inputs_per_beat // 2
        count = self.some(1, most if self.may(0.1) else 24)
        return {"count": count + (count % 2 if even else 0)}

    def operands(self, count: int) -> dict[str, int]:
        """Return words of two vectors, and one that is theirs or lies apart from them."""
        size = self.shape.words(count)
        while True:
            a, b, d = (self.word(count) for _ in range(3))
            d = (d, a, b)[self.some(0, 2)]
            if all(d == word or abs(d - word) >= size for word in (a, b)):
                return {"a": a, "b": b, "d": d}
