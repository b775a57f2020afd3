"""What the chip does, instruction by instruction, to the bit: its specification.

The machine has a memory outside, of bytes, and inside a memory of FP16 vectors, the constants of
one linear layer, and four scalars: the token, its position, a factor and the largest number of a
vector. Every instruction is whole before the next begins.

A fault ends a run behind its instruction, or before one that is refused
(:mod:`golden.chip.rules`). An instruction that reaches beyond the memory reads or writes what is
within. What faults do not cover no program may do: an operation's result must not lie across what
it reads, and load words must be those of a layer.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from golden.chip.constants import Constants, LoadWord
from golden.chip.instruction import BYTES, Index, Instruction, Op
from golden.chip.rules import POSITIONS, Fault, FaultError, check, code_word, pitch
from golden.chip.shape import FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.exact import fp16_arithmetic
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.fp16 import BitArray, flush_nonfinite, key
from golden.exact.fp16_arithmetic import SIGN
from golden.exact.gelu import gelu
from golden.exact.levels import Form
from golden.exact.linear import forward
from golden.exact.norms import factor_number, inverse, inverse_root, square_sum
from golden.exact.token_scale import Scale, ScaleFactor
from golden.exact.vector_operations import first_largest, gate, largest, powers, rotate
from golden.quantise.layer_container import pack, unpack

ADDRESSES = 1 << 32
TOKENS = 1 << 8 * TOKEN_BYTES
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
        self.position, self.known, self.token, self.chosen = 0, 0, 0, 0
        self.factor, self.best = ONE, 0
        self.factors = [ONE] * shape.tokens_together
        self.most: BitArray = np.zeros((), np.uint16)
        self.failed = ""  # what number was wrong, if any was

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
        FaultError
            If the run ends with a fault.
        """
        at, self.known = program, known
        while True:
            one = self.fetch(at)
            at += BYTES
            if one.op == Op.NEXT:
                following = (self.place(one) + 1) % POSITIONS
                if one.scaled and following >= known:
                    continue
                if not one.scaled:
                    self.write(self.address(one), self.chosen.to_bytes(TOKEN_BYTES, "little"))
                self.position = following
                return None if one.scaled else self.chosen
            getattr(self, one.op.name.lower())(one)

    def fetch(self, at: int) -> Instruction:
        """Return the instruction at an address, its counts as they are at this position."""
        if self.failed:
            raise FaultError(Fault.NUMBER, self.failed)
        data = self.read(at, BYTES)
        try:
            one = Instruction.unpack(data)
        except ValueError as error:
            raise FaultError(Fault.INSTRUCTION, str(error)) from None
        grown = {"count": one.grows, "outputs": one.outputs_grow}
        counts = {name: self.place(one) + 1 for name, grows in grown.items() if grows}
        one = replace(one, **counts)
        self.check(one)
        return one

    def check(self, one: Instruction) -> None:
        """Refuse an instruction that the chip refuses."""
        check(one, self.shape, address=self.address(one), loaded=self.loaded.size())

    # Where things are.

    def place(self, one: Instruction) -> int:
        """Return the position that an instruction's counts and address go by."""
        return max(self.known - 1, 0) if one.whole else (self.position + one.token) % POSITIONS

    def address(self, one: Instruction) -> int:
        """Return the address of an instruction, its stride in it."""
        times = {
            Index.NONE: 0,
            Index.POSITION: self.place(one),
            Index.TOKEN: self.token,
            Index.TILE: self.place(one) // self.shape.output_lanes,
        }
        return (one.address + times[one.index] * one.stride) % ADDRESSES

    def read(self, address: int, size: int) -> bytes:
        """Return bytes of the memory."""
        address %= ADDRESSES
        self._require(address, size)
        return self.memory[address : address + size].tobytes()

    def write(self, address: int, data: bytes) -> None:
        """Write bytes of the memory; where that ends, those before its end."""
        address %= ADDRESSES
        within = data[: max(len(self.memory) - address, 0)]
        self.memory[address : address + len(within)] = np.frombuffer(within, np.uint8)
        self._require(address, len(data))

    def _require(self, address: int, size: int) -> None:
        if address + size > len(self.memory):
            text = f"bytes {address:#x} to {address + size:#x} are beyond the memory"
            raise FaultError(Fault.MEMORY, text)

    def numbers(self, address: int, count: int) -> BitArray:
        """Return FP16 numbers of the memory."""
        return np.frombuffer(self.read(address, FP16_BYTES * count), "<u2").astype(np.uint16)

    def vector(self, word: int, count: int) -> BitArray:
        """Return numbers of the vector memory, from a word of it on."""
        at = word * self.shape.inputs_per_beat
        return self.vectors[at : at + count]

    # Instructions.

    def take(self, one: Instruction) -> None:
        """Read the token at hand."""
        self.token = int.from_bytes(self.read(self.address(one), TOKEN_BYTES), "little")

    def load(self, one: Instruction) -> None:
        """Copy numbers from memory to the vector memory."""
        self.vector(one.d, one.count)[:] = self.numbers(self.address(one), one.count)

    def store(self, one: Instruction) -> None:
        """Copy numbers from the vector memory to memory."""
        self.write(self.address(one), self.vector(one.a, one.count).astype("<u2").tobytes())

    def constants(self, one: Instruction) -> None:
        """Load words into the engine."""
        data = self.read(self.address(one), LoadWord.BYTES * one.count)
        for n in range(one.count):
            word = int.from_bytes(data[8 * n : 8 * n + 8], "little")
            if not self.loaded.take(word & 7, word >> 8 & 0xFFFF, word >> 24, self.shape):
                self.failed = f"{word:#x} is no load word of the engine"

    def channels(self, one: Instruction) -> None:
        """Load scales of output channels into the engine, each with its bias or without one."""
        parts = 2 if one.scaled else 1
        words = self.numbers(self.address(one), parts * one.count).reshape(-1, parts)
        biases = words[:, 1] if one.scaled else np.zeros_like(words[:, 0])
        places = (one.extra & 0xFF) - ((one.extra & 0x80) << 1)
        if not self.loaded.channels(words[:, 0], biases, places):
            self.failed = "a scale or a bias is no number that the engine takes"

    def linear(self, one: Instruction) -> None:
        """Send vectors through the engine, with weights, or cached keys or values, of memory."""
        layer = self.loaded.layer(self.codes(one, one.count, one.outputs), Form(one.form))
        vectors = range(1 << one.b)
        x = [self.vector(one.a + n * pitch(one, "a"), one.count) for n in vectors]
        factor = None
        if one.scaled:
            kept = self.factors[one.slot : one.slot + len(vectors)]
            parts = ([getattr(f, name) for f in kept] for name in ("mantissa", "exponent"))
            factor = Scale(*map(np.concatenate, parts))
        result = forward(layer, np.stack(x), factor)
        for n in vectors:
            self.vector(one.d + n * pitch(one, "d"), one.outputs)[:] = result.y[n]
        if result.nonfinite.any() or result.overflow.any():
            self.failed = "an activation or an output is not finite"

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
        """Add two vectors, or take the largest number from each of one."""
        self._elements(one, fp16_arithmetic.add, self.most ^ np.uint16(SIGN))

    def multiply(self, one: Instruction) -> None:
        """Multiply two vectors, element by element, or one by the factor."""
        self._elements(one, fp16_arithmetic.multiply, factor_number(self.factor)[0])

    def rotate(self, one: Instruction) -> None:
        """Turn the pairs of a vector."""
        self._elements(one, rotate)

    def gate(self, one: Instruction) -> None:
        """Take SwiGLU's product of two vectors, or GELU of one."""
        if one.scaled:
            self.vector(one.d, one.count)[:] = gelu(self.vector(one.a, one.count))
        else:
            self._elements(one, gate)

    def _elements(
        self,
        one: Instruction,
        operation: Callable[..., BitArray],
        scalar: BitArray | None = None,
    ) -> None:
        """Compute with two vectors, or with a vector and a scalar."""
        x, y = self.vector(one.a, one.count), self.vector(one.b, one.count)
        if one.scaled and scalar is not None:
            y = np.broadcast_to(scalar, x.shape)
        found = operation(x, y)
        self.vector(one.d, one.count)[:] = found

    def largest(self, one: Instruction) -> None:
        """Keep the largest of a vector."""
        self.most = largest(self.vector(one.a, one.count))

    def powers(self, one: Instruction) -> None:
        """Take powers of a vector less its largest, times another; their sum makes the factor."""
        x, times = (self.vector(word, one.count) for word in (one.a, one.b))
        found, total = powers(x, self.most, times)
        self.vector(one.d, one.count)[:] = found
        self._keep(one, inverse(np.array([total])))

    def root(self, one: Instruction) -> None:
        """Keep 1 / root of the sum of squares of a vector, and of ``extra``, as the factor."""
        finite = flush_nonfinite(self.vector(one.a, one.count))
        total = square_sum(finite[None], one.extra)
        self._keep(one, inverse_root(total))

    def _keep(self, one: Instruction, factor: Scale) -> None:
        """Keep a factor as the latest, and in its slot."""
        self.factor = self.factors[one.slot] = factor

    def cache(self, one: Instruction) -> None:
        """Keep a head's vector in the cache.

        Keys: a word of codes has the k_t codes of an input beat, and stands at the place of the
        position among the output lanes. Values: it has n_t codes, and stands at the position.
        """
        shape, position = self.shape, self.place(one)
        factor = ScaleFactor(one.b, one.d - ((one.d & 0x8000) << 1))
        limits = np.array([one.extra >> 7 * n & 127 for n in range(7)])
        form = CacheFormat(factor, limits, np.zeros(8, np.int64))
        codes, scale = cache_codes(self.vector(one.a, one.count)[None], form)
        length = code_word(one, shape)
        place = position % shape.output_lanes if one.keys else position
        words = pack(codes.astype(np.uint8)).reshape(-1, length // 2)
        first = self.address(one) + place * length // 2
        writes = [(first + n * one.step, word.tobytes()) for n, word in enumerate(words)]
        scales = one.outputs + FP16_BYTES * position
        beyond: list[FaultError] = []
        for address, data in (*writes, (scales, scale.astype("<u2").tobytes())):
            try:
                self.write(address, data)
            except FaultError as fault:
                beyond.append(fault)
        if beyond:
            raise beyond[0]

    def choose(self, one: Instruction) -> None:
        """Keep the number of the largest, the first of equals, as the next token."""
        x = self.vector(one.a, one.count)
        at = int(first_largest(x))
        best = int(key(flush_nonfinite(x[at])))
        if not one.scaled or best > self.best:
            self.best, self.chosen = best, (one.extra + at) % TOKENS
