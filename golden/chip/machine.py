"""What the chip does, instruction by instruction, to the bit: its specification.

The machine has a memory outside, of bytes, and inside a memory of FP16 vectors, the constants of
one linear layer, and four scalars: the token, its position, a factor and the largest number of a
vector. Every instruction is whole before the next begins.
"""

from collections.abc import Callable

import numpy as np

from golden.chip.constants import Constants, LoadWord
from golden.chip.instruction import BYTES, Index, Instruction, Op
from golden.chip.shape import FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.exact import fp16_arithmetic
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.fp16 import BitArray, flush_nonfinite, key
from golden.exact.linear import forward
from golden.exact.norms import inverse, inverse_root, square_sum
from golden.exact.token_scale import Scale, ScaleFactor
from golden.exact.vector_operations import first_largest, gate, largest, powers, rotate
from golden.quantise.layer_container import pack, unpack

ONE = Scale(np.array([1 << 10]), np.array([-10]))


class Machine:
    """A chip and its memory.

    Parameters
    ----------
    shape : ChipShape
    memory : bytes
        The image, as large as the memory is used.
    """

    def __init__(self, shape: ChipShape, memory: bytes) -> None:
        self.shape = shape
        self.memory = np.frombuffer(memory, np.uint8).copy()
        self.vectors = np.zeros(shape.vector_words * shape.inputs_per_beat, np.uint16)
        self.loaded = Constants()
        self.position, self.token, self.chosen = 0, 0, 0
        self.factor, self.best = ONE, 0
        self.most: BitArray = np.zeros((), np.uint16)

    def run(self, program: int, known: int) -> int | None:
        """Run the program at an address for one token; return the token that it chooses.

        Parameters
        ----------
        program : int
        known : int
            Tokens that are there before the first run: while the next is one of them, there is
            nothing to choose, and nothing is returned.

        Raises
        ------
        ValueError
            If an instruction is none, or reaches beyond a memory.
        """
        for at in range(program, len(self.memory), BYTES):
            one = Instruction.unpack(self.memory[at : at + BYTES].tobytes())
            if one.op == Op.NEXT:
                following = self.position + 1
                if one.scaled and following >= known:
                    continue
                if not one.scaled:
                    self.write(self.address(one), self.chosen.to_bytes(TOKEN_BYTES, "little"))
                self.position = following
                return None if one.scaled else self.chosen
            getattr(self, one.op.name.lower())(one)
        raise ValueError(f"the program at {program:#x} has no end")

    # Where things are.

    def count(self, one: Instruction) -> int:
        """Return how many numbers an instruction takes."""
        return self.position + 1 if one.grows else one.count

    def address(self, one: Instruction) -> int:
        """Return the address of an instruction, its stride in it."""
        times = {
            Index.NONE: 0,
            Index.POSITION: self.position,
            Index.TOKEN: self.token,
            Index.TILE: self.position // self.shape.output_lanes,
        }
        return one.address + times[one.index] * one.stride

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the memory."""
        if address + size > len(self.memory):
            raise ValueError(f"bytes {address:#x} to {address + size:#x} are beyond the memory")
        return self.memory[address : address + size].tobytes()

    def write(self, address: int, data: bytes) -> None:
        """Write bytes of the memory."""
        if address + len(data) > len(self.memory):
            raise ValueError(f"bytes from {address:#x} on are beyond the memory")
        self.memory[address : address + len(data)] = np.frombuffer(data, np.uint8)

    def numbers(self, address: int, count: int) -> BitArray:
        """Return FP16 numbers of the memory."""
        return np.frombuffer(self.read(address, FP16_BYTES * count), "<u2").astype(np.uint16)

    def vector(self, word: int, count: int) -> BitArray:
        """Return numbers of the vector memory, from a word of it on."""
        at = word * self.shape.inputs_per_beat
        if at + count > len(self.vectors):
            raise ValueError(f"{count} numbers from word {word} on are beyond the vector memory")
        return self.vectors[at : at + count]

    # Instructions.

    def take(self, one: Instruction) -> None:
        """Read the token at hand."""
        self.token = int.from_bytes(self.read(self.address(one), TOKEN_BYTES), "little")

    def load(self, one: Instruction) -> None:
        """Copy numbers from memory to the vector memory."""
        count = self.count(one)
        self.vector(one.d, count)[:] = self.numbers(self.address(one), count)

    def store(self, one: Instruction) -> None:
        """Copy numbers from the vector memory to memory."""
        self.write(self.address(one), self.vector(one.a, self.count(one)).astype("<u2").tobytes())

    def constants(self, one: Instruction) -> None:
        """Load words into the engine."""
        data = self.read(self.address(one), LoadWord.BYTES * one.count)
        for n in range(one.count):
            word = int.from_bytes(data[8 * n : 8 * n + 8], "little")
            self.loaded.take(word & 7, word >> 8 & 0xFFFF, word >> 24)

    def channels(self, one: Instruction) -> None:
        """Load scales of output channels into the engine, each with its bias or without one."""
        parts = 2 if one.scaled else 1
        words = self.numbers(self.address(one), parts * self.count(one)).reshape(-1, parts)
        self.loaded.scales = words[:, 0]
        self.loaded.biases = words[:, 1] if one.scaled else np.zeros_like(words[:, 0])
        self.loaded.places = (one.extra & 0xFF) - ((one.extra & 0x80) << 1)

    def linear(self, one: Instruction) -> None:
        """Send a vector through the engine, with weights, or cached keys or values, of memory."""
        inputs = self.count(one)
        outputs = self.position + 1 if one.outputs_grow else one.outputs
        layer = self.loaded.layer(self.codes(one, inputs, outputs))
        x = self.vector(one.a, inputs)[None]
        result = forward(layer, x, self.factor if one.scaled else None)
        self.vector(one.d, outputs)[:] = result.y[0]

    def codes(self, one: Instruction, inputs: int, outputs: int) -> BitArray:
        """Return the codes (K, N) that stand in tiles, each in beats, each of k_t by n_t codes."""
        shape = self.shape
        lanes, inputs_per_beat = shape.output_lanes, shape.inputs_per_beat
        tiles = []
        for tile in range(-(-outputs // lanes)):
            data = self.read(self.address(one) + tile * one.step, shape.tile_bytes(inputs))
            codes = unpack(np.frombuffer(data, np.uint8), (2 * len(data) // lanes, lanes))
            if one.keys:
                codes = codes.reshape(-1, lanes, inputs_per_beat).transpose(0, 2, 1)
            tiles.append(codes.reshape(-1, lanes)[:inputs])
        return np.concatenate(tiles, axis=1)[:, :outputs].astype(np.uint16)

    def add(self, one: Instruction) -> None:
        """Add two vectors."""
        self._elements(one, fp16_arithmetic.add)

    def multiply(self, one: Instruction) -> None:
        """Multiply two vectors, element by element."""
        self._elements(one, fp16_arithmetic.multiply)

    def rotate(self, one: Instruction) -> None:
        """Turn the pairs of a vector."""
        self._elements(one, rotate)

    def gate(self, one: Instruction) -> None:
        """Take SwiGLU's product of two vectors."""
        self._elements(one, gate)

    def _elements(self, one: Instruction, operation: Callable[..., BitArray]) -> None:
        count = self.count(one)
        found = operation(self.vector(one.a, count), self.vector(one.b, count))
        self.vector(one.d, count)[:] = found

    def largest(self, one: Instruction) -> None:
        """Keep the largest of a vector."""
        self.most = largest(self.vector(one.a, self.count(one)))

    def powers(self, one: Instruction) -> None:
        """Take powers of a vector less its largest, times another; their sum makes the factor."""
        count = self.count(one)
        found, total = powers(self.vector(one.a, count), self.most, self.vector(one.b, count))
        self.vector(one.d, count)[:] = found
        self.factor = inverse(np.array([total]))

    def root(self, one: Instruction) -> None:
        """Keep 1 / root of the sum of squares of a vector, and of ``extra``, as the factor."""
        finite = flush_nonfinite(self.vector(one.a, self.count(one)))
        total = square_sum(finite[None], one.extra)
        self.factor = inverse_root(total)

    def cache(self, one: Instruction) -> None:
        """Keep a head's vector in the cache.

        Keys: a word of codes has the k_t codes of an input beat, and stands at the place of the
        position among the output lanes. Values: it has n_t codes, and stands at the position.
        """
        shape, position = self.shape, self.position
        factor = ScaleFactor(one.b, one.d - ((one.d & 0x8000) << 1))
        limits = np.array([one.extra >> 7 * n & 127 for n in range(7)])
        form = CacheFormat(factor, limits, np.zeros(8, np.int64))
        codes, scale = cache_codes(self.vector(one.a, one.count)[None], form)
        length = shape.inputs_per_beat if one.keys else shape.output_lanes
        place = position % shape.output_lanes if one.keys else position
        for n, word in enumerate(pack(codes.astype(np.uint8)).reshape(-1, length // 2)):
            at = self.address(one) + n * one.step + place * len(word)
            self.write(at, word.tobytes())
        self.write(one.outputs + FP16_BYTES * position, scale.astype("<u2").tobytes())

    def choose(self, one: Instruction) -> None:
        """Keep the number of the largest, the first of equals, as the next token."""
        x = self.vector(one.a, one.count)
        at = int(first_largest(x))
        best = int(key(flush_nonfinite(x[at])))
        if not one.scaled or best > self.best:
            self.best, self.chosen = best, one.extra + at
