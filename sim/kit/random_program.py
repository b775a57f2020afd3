"""Made-up programs: any instructions, counts and contents of memory that a chip may be given."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from amaranth.utils import exact_log2

from golden.chip.constants import LoadWord
from golden.chip.instruction import LAYOUT, PITCH_BITS, Index, Instruction, Op
from golden.chip.shape import FP16_BYTES, TOKEN_BYTES, ChipShape
from golden.exact import fp16
from golden.exact.levels import Form
from golden.exact.token_scale import ScaleFactor
from sim.kit.program_maker import (
    BLOCK,
    DATA,
    DATA_BYTES,
    POSITIONS,
    TOKENS,
    Maker,
)
from sim.kit.random_constants import any_layers, any_scales

ELEMENTS = (Op.ADD, Op.MULTIPLY, Op.ROTATE, Op.GATE)


@dataclass(frozen=True)
class Made:
    """A program, and what a run of it is told.

    Parameters
    ----------
    image : bytes
    program : int
        Address.
    code : list of Instruction
    known, limit : int
    end_token : int, optional
    """

    image: bytes
    program: int
    code: list[Instruction]
    known: int
    limit: int
    end_token: int | None


class ProgramMaker(Maker):
    """Makes a program, instruction by instruction."""

    def load(self) -> None:
        """Load numbers."""
        count = self.count()
        room = max(count["count"], POSITIONS)
        place = self.place(FP16_BYTES * room, self.shape.bus_bytes)
        self.do(Op.LOAD, d=self.word(room), **count, **place)

    def store(self) -> None:
        """Store numbers."""
        count = self.count()
        room = max(count["count"], POSITIONS)
        place = self.place(FP16_BYTES * room, FP16_BYTES * self.shape.inputs_per_beat)
        self.do(Op.STORE, a=self.word(room), **count, **place)

    def take(self) -> None:
        """Take a token."""
        self.do(Op.TAKE, address=TOKENS, index=Index.POSITION, stride=TOKEN_BYTES)

    def elements(self) -> None:
        """Compute element by element."""
        op = ELEMENTS[self.some(0, len(ELEMENTS) - 1)]
        count = self.count(even=op == Op.ROTATE)
        scaled = self.may(0.3) and op != Op.ROTATE and (op != Op.GATE or self.shape.gelu)
        self.do(op, **self.operands(max(count["count"], POSITIONS)), **count, scaled=scaled)

    def softmax(self) -> None:
        """Take powers of what is less its largest."""
        count = self.count()
        room = max(count["count"], POSITIONS)
        words = self.operands(room)
        self.do(Op.LARGEST, a=words["a"], **count)
        self.do(Op.POWERS, **words, **count)

    def root(self) -> None:
        """Make a norm's factor."""
        count = self.count()
        start = self.some(0, (1 << self.some(0, 40)) - 1)
        self.do(Op.ROOT, a=self.word(max(count["count"], POSITIONS)), extra=start, **count)

    def choose(self) -> None:
        """Choose a token from a vector, or from several."""
        first = self.some(0, 3)
        for n in range(self.some(1, 2)):
            count = self.some(1, 24)
            self.do(Op.CHOOSE, a=self.word(count), count=count, extra=first, scaled=n > 0)
            first += count

    def cache(self) -> None:
        """Keep a vector as codes."""
        shape, keys = self.shape, self.may(0.5)
        codes = shape.inputs_per_beat if keys else shape.output_lanes
        words = self.some(1, 6)
        factor = ScaleFactor.mean(codes * words, Fraction(self.some(8, 16), 16))
        limits = np.sort(self.rng.integers(1, 128, 7))
        step = codes // 2 * self.some(1, 8)
        size = words * step + codes // 2 * max(POSITIONS, shape.output_lanes)
        self.do(
            Op.CACHE,
            **{"a": self.word(codes * words), "count": codes * words, "keys": keys, "step": step},
            **{"b": factor.mantissa, "d": factor.exponent & 0xFFFF},
            outputs=DATA + 2 * self.some(0, DATA_BYTES // 2 - POSITIONS - 1),
            extra=sum(int(limit) << 7 * n for n, limit in enumerate(limits)),
            **self.place(size, codes // 2),
        )

    def linear(self) -> None:
        """Load a layer, and send vectors through it."""
        shape = self.shape
        grows, outputs_grow = [(False, False), (True, False), (False, True)][
            self.some(0, 2) if self.may(0.4) else 0
        ]
        inputs = self.some(1, shape.inputs_max if self.may(0.2) else 20)
        outputs = self.some(1, shape.outputs_max if self.may(0.2) else 20)
        sizes = [
            (n if grows else inputs, n if outputs_grow else outputs)
            for n in range(1, POSITIONS + 1)
        ]
        form = Form(self.some(0, len(Form) - 1))
        sizes = sizes if grows or outputs_grow else sizes[:1]
        words = any_layers(self.rng, self.shape, sizes, form)
        stride = len(words[0])
        index = {"index": Index.POSITION, "stride": stride} if len(words) > 1 else {}
        address = self.put(b"".join(words))
        self.do(Op.CONSTANTS, address=address, count=stride // LoadWord.BYTES, **index)
        rooms = [max(size) for size in zip(*sizes, strict=True)]
        self.channels(rooms[1], outputs if not outputs_grow else 0)
        fields = {"count": inputs, "outputs": outputs, "grows": grows, "outputs_grow": outputs_grow}
        tiles = -(-rooms[1] // shape.output_lanes)
        for _ in range(self.some(1, 2)):
            step = shape.bus_bytes * self.some(0, 12)
            size = tiles * step + shape.tile_bytes(rooms[0])
            together = exact_log2(shape.tokens_together)
            several = self.some(0, 3 if tiles == 1 else together)
            self.do(
                Op.LINEAR,
                **{"keys": self.may(0.5), "form": form, "step": step},
                **fields | self.vectors(rooms, several) | self.slots(several),
                **self.place(size, shape.bus_bytes),
            )

    def vectors(self, rooms: list[int], several: int) -> dict[str, int]:
        """Return where ``2**several`` vectors come from, and where their outputs go: apart."""
        last = self.shape.vector_words
        pitches = [self.shape.words(room) + self.some(0, 1) for room in rooms]
        sizes = [pitch << several for pitch in pitches]
        while sum(sizes) <= last // 2:
            a, d = (self.some(0, last - size) for size in sizes)
            if not several or d + sizes[1] <= a or a + sizes[0] <= d:
                extra = pitches[0] | pitches[1] << PITCH_BITS
                return {"a": a, "b": several, "d": d, "extra": extra}
        return {"a": self.word(rooms[0]), "b": 0, "d": self.word(rooms[1])}

    def slots(self, several: int) -> dict[str, Any]:
        """Return whether vectors have factors, and which is the first one's."""
        spare = self.shape.tokens_together - (1 << several)
        if spare < 0 or self.may(0.5):
            return {"scaled": False}
        return {"scaled": True, "slot": self.some(0, spare)}

    def channels(self, room: int, count: int) -> None:
        """Load scales of channels: as many as there are, as positions, or more than are wanted."""
        scaled, places = self.may(0.5), self.some(-10, 10)
        words = [any_scales(self.rng, room, places)]
        if scaled:
            bias = self.numbers(room)
            finite = fp16.is_finite(bias) if self.may(0.9) else True
            words.append(np.where(finite, bias, 0).astype("<u2"))
        size = {"count": max(count, 1), "grows": not count}
        address = self.put(np.stack(words, axis=1).tobytes())
        self.do(Op.CHANNELS, address=address, extra=places & 0xFF, scaled=scaled, **size)


def any_program(rng: np.random.Generator, shape: ChipShape, wild: float) -> Made:
    """Return a program.

    Parameters
    ----------
    rng : Generator
    shape : ChipShape
    wild : float
        Chance that an instruction is changed in one field, so that it may be wrong; not the first
        one, which loads all of the vector memory.
    """
    maker = ProgramMaker(rng, shape)
    numbers = shape.vector_words * shape.inputs_per_beat
    maker.do(Op.LOAD, d=0, count=numbers, address=DATA)  # what was there before is not known
    kinds: list[Callable[[], None]] = [
        *(maker.load, maker.store, maker.elements, maker.elements, maker.softmax, maker.root),
        *(maker.take, maker.choose, maker.cache, maker.linear, maker.linear),
    ]
    maker.take()
    for n in range(maker.some(1, 10)):
        kinds[maker.some(0, len(kinds) - 1)]()
        if n == 3:
            maker.do(Op.NEXT, scaled=True)
    count, place = maker.some(1, 64), {"address": TOKENS + TOKEN_BYTES, "stride": TOKEN_BYTES}
    maker.do(Op.STORE, a=maker.word(count), count=count, **maker.place(2 * count, 8))
    block = maker.some(1, BLOCK) if maker.may(0.1) else 0
    maker.do(Op.NEXT, index=Index.POSITION, token=block, **place)
    if maker.may(wild):
        at = maker.some(1, len(maker.code) - 1)
        maker.code[at] = changed(rng, maker.code[at])
    data = np.concatenate([maker.numbers(256) for _ in range(DATA_BYTES // 512)])
    tokens = rng.integers(0, 8, DATA // TOKEN_BYTES).astype("<u4")
    head = tokens.tobytes() + data.astype("<u2").tobytes() + bytes(maker.constants)
    head += bytes(-len(head) % 32)
    limit = maker.some(1, POSITIONS - BLOCK - 1)
    return Made(
        image=head + b"".join(one.pack() for one in maker.code),
        program=len(head),
        code=maker.code,
        known=maker.some(1, limit),
        limit=limit,
        end_token=maker.some(0, 15) if maker.may(0.3) else None,
    )


def changed(rng: np.random.Generator, one: Instruction) -> Instruction:
    """Return an instruction with one field as it may not be."""
    names = (
        *("a", "b", "d", "count", "outputs", "address", "step", "stride", "form"),
        *("extra", "slot", "token"),
    )
    value = int(getattr(one, name := str(rng.choice(names))))
    other = rng.choice([0, 1, value + 1, value + 2, value + 4, 2 * value, 64, 1 << 13, 0xFFF8])
    return replace(one, **{name: int(other) & 0xFFFF & ((1 << LAYOUT[name][1]) - 1)})
