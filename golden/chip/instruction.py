"""Instructions: the 32 bytes that the sequencer fetches for each step of a token.

A program is a straight line: one pass over it is one token, or a block of several. What differs
from token to token is its position, from 0, and the token itself; an instruction can add either,
times a stride, to its address, and can take as many numbers as there are positions so far, or as
there are in all that is known. The number of its bits that are set is odd, so that neither a
flipped bit nor empty memory makes an instruction.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from golden.exact.levels import Form

BYTES = 32
PARITY_BIT = 14
PITCH_BITS = 16


class Op(enum.IntEnum):
    """What an instruction does; see :class:`golden.chip.machine.Machine`."""

    NEXT = 0  # the end of the program: the token that was chosen is written, and is the next
    TAKE = 15  # a token of memory becomes the one at hand
    LOAD = 1  # numbers from memory into the vector memory
    STORE = 2  # and back
    CONSTANTS = 3  # load words into the engine
    CHANNELS = 4  # scales, and biases, of output channels into the engine
    LINEAR = 5  # a vector through the engine
    ADD = 6
    MULTIPLY = 7
    ROTATE = 8
    GATE = 9
    LARGEST = 10  # of a vector, for POWERS
    POWERS = 11  # of a vector less its largest; the sum makes the factor
    ROOT = 12  # 1 / root of the sum of squares becomes the factor
    CACHE = 13  # a head's vector into the cache, as codes
    CHOOSE = 14  # the largest number of a vector: the next token


class Index(enum.IntEnum):
    """What the stride of an address is multiplied by."""

    NONE = 0
    POSITION = 1
    TOKEN = 2
    TILE = 3  # position over output lanes


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction; fields that an operation does not use are 0.

    Parameters
    ----------
    op : Op
    index : Index
        What ``stride`` is multiplied by.
    grows, outputs_grow : bool
        Whether ``count`` and ``outputs`` stand for the number of positions so far.
    whole : bool
        Whether the position that these, and the address, go by is that of the last known token, in
        place of the one at hand.
    token : int
        The position that these, and the address, go by is so much further than that at hand: which
        token of a block. NEXT: the last one of the block.
    slot : int
        LINEAR: which of the kept factors is the first vector's; those behind it take the ones that
        follow. POWERS, ROOT: where the factor is kept.
    scaled : bool
        LINEAR: whether factors multiply the token scales. ADD, MULTIPLY: whether the second
        operand is not a vector but a scalar: minus the largest number, or the latest factor. GATE:
        whether it is GELU of the first vector alone. CHANNELS: whether each scale has a bias
        behind it. CHOOSE: whether this vector continues the one before. NEXT: whether it is
        only for tokens whose follower is known, and nothing is written.
    keys : bool
        LINEAR: whether a beat's codes stand output lane by output lane, as keys do. CACHE:
        whether these are keys.
    a, b, d : int
        Words of the vector memory: first source, second source, destination. LINEAR: ``2**b``
        vectors, each as many words behind the one before as its pitch says. CACHE: ``b`` is the
        mantissa of the scale's factor, ``d`` its exponent, two's complement.
    count : int
        Numbers of a vector; load words of CONSTANTS; channels of CHANNELS.
    outputs : int
        LINEAR: output channels. CACHE: address of the scales.
    address, stride : int
        In memory, in bytes.
    step : int
        LINEAR: bytes from one tile to the next. CACHE: bytes from one word of codes to the next.
    extra : int
        LINEAR: pitch of what is read, and above it that of what is written; not used for one
        vector. ROOT: start of the sum. CHANNELS: what is added to scales' exponents, two's
        complement. CHOOSE: number of the vector's first token. CACHE: thresholds, seven bits each.
    form : int
        LINEAR: of the rows, a :class:`golden.exact.levels.Form`.
    """

    op: Op
    index: Index = Index.NONE
    grows: bool = False
    outputs_grow: bool = False
    scaled: bool = False
    keys: bool = False
    whole: bool = False
    a: int = 0
    b: int = 0
    d: int = 0
    count: int = 0
    outputs: int = 0
    address: int = 0
    stride: int = 0
    step: int = 0
    extra: int = 0
    slot: int = 0
    token: int = 0
    form: int = 0

    def pack(self) -> bytes:
        """Return the 32 bytes.

        Raises
        ------
        ValueError
            If a field does not fit.
        """
        word = 0
        for name, (low, bits) in LAYOUT.items():
            value = int(getattr(self, name))
            value = value & ((1 << bits) - 1) if -(1 << (bits - 1)) <= value < 0 else value
            if not 0 <= value < 1 << bits:
                raise ValueError(f"{name} of {self.op.name} must fit {bits} bits, is {value}")
            word |= value << low
        return with_parity(word.to_bytes(BYTES, "little"))

    @classmethod
    def unpack(cls, data: bytes) -> "Instruction":
        """Return the instruction of 32 bytes.

        Raises
        ------
        ValueError
            If there is no such operation, or an even number of bits is set.
        """
        word = int.from_bytes(data[:BYTES], "little")
        if word.bit_count() % 2 == 0:
            raise ValueError("an instruction has an odd number of bits that are set")
        values = {n: word >> low & ((1 << bits) - 1) for n, (low, bits) in LAYOUT.items()}
        kinds = {"op": Op, "index": Index}
        kinds |= dict.fromkeys(("grows", "outputs_grow", "scaled", "keys", "whole"), bool)
        return cls(**{name: kinds.get(name, int)(value) for name, value in values.items()})

    def text(self) -> str:
        """Return a line for people: the operation and all that is not 0."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "op")
        shown = " ".join(f"{name}={_shown(name, value)}" for name, value in named if value)
        return f"{self.op.name:10}{shown}".rstrip()


# First bit and number of bits of each field.
LAYOUT = {
    "op": (0, 8),
    "index": (8, 2),
    "grows": (10, 1),
    "outputs_grow": (11, 1),
    "scaled": (12, 1),
    "keys": (13, 1),
    "whole": (15, 1),
    "a": (16, 16),
    "b": (32, 16),
    "d": (48, 16),
    "count": (64, 16),
    "step": (80, 24),
    "outputs": (104, 32),
    "address": (136, 32),
    "stride": (168, 24),
    "extra": (192, 50),
    "slot": (242, 6),
    "token": (248, 6),
    "form": (254, 2),
}


def with_parity(data: bytes) -> bytes:
    """Return the 32 bytes of an instruction with an odd number of bits set."""
    word = int.from_bytes(data, "little") & ~(1 << PARITY_BIT)
    return (word | (~word.bit_count() & 1) << PARITY_BIT).to_bytes(BYTES, "little")


def disassemble(program: bytes, names: Sequence[str] = (), address: int = 0) -> Iterator[str]:
    """Yield a line for each instruction of a program at an address.

    Its address, what it computes if there are names, then the instruction.
    """
    width = max(map(len, names), default=0) + 2
    for n, at in enumerate(range(0, len(program), BYTES)):
        name = f"{names[n]:{width}}" if names else ""
        yield f"{address + at:6x}  {name}{Instruction.unpack(program[at : at + BYTES]).text()}"


def _shown(name: str, value: int) -> str:
    if name == "form" and value in set(Form):
        value = Form(value)
    if isinstance(value, Index | Form):
        return value.name.lower()
    return "yes" if value is True else hex(value) if name in ("address", "extra") else str(value)
