"""Instruction check: whether an instruction is one that units can carry out."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.utils import exact_log2

from golden.chip.instruction import Op
from golden.chip.rules import COUNTING, FACTORS, SOURCES, START_BITS, VECTORS_MAX, WHOLE_WORDS
from golden.chip.shape import CODES_PER_BYTE, FP16_BYTES, TOKEN_BYTES
from golden.exact.levels import Form
from golden.exact.spec import FACTOR_BITS
from hw.chip.chip_spec import (
    ADDRESS_BITS,
    INSTRUCTION,
    POSITION_BITS,
    loaded_layout,
    pitch_of,
    vectors_of,
)
from hw.stream.component import In, Out, Sized


class InstructionCheck(Sized):
    """Refuse what :func:`golden.chip.rules.check` refuses, and an even number of bits.

    Timing
    ------
    Latency : 2 cycles from ``instruction`` and ``position`` to ``wrong``; 0 from the others.
    Rate : an instruction per cycle.
    Through paths : ``instruction``, ``address`` and ``loaded`` to ``refused`` and ``wrong``;
        combinational.
    Reset : none is needed.
    """

    instruction = In(INSTRUCTION)
    """As it stands in memory; steady."""
    position = In(POSITION_BITS)
    """That its counts go by; steady. Numbers behind ``wrong`` and ``refused`` are right when it has
    been for 2 cycles.
    """
    address = In(ADDRESS_BITS)
    """The instruction's, its stride in it."""
    loaded = In(lambda c: loaded_layout(c.spec))
    """What the engine holds."""
    refused = Out(1)
    """Whether it is refused, whatever the engine holds."""
    wrong = Out(1)
    """Whether it is refused."""

    def build(self, m: Module) -> None:  # noqa: D102
        word, spec = self.instruction, self.spec
        # Counts less 1: what is the last number's place.
        last = Signal(POSITION_BITS)
        outputs_last = Signal(POSITION_BITS)
        none, outputs_none, even = Signal(), Signal(), Signal()
        above = word.outputs[POSITION_BITS:].any()
        m.d.sync += [
            last.eq(Mux(word.grows, self.position, word.count - 1)),
            none.eq(~word.grows & (word.count == 0)),
            outputs_last.eq(
                Mux(word.outputs_grow, self.position, word.outputs[:POSITION_BITS] - 1)
            ),
            outputs_none.eq(~word.outputs_grow & (above | (word.outputs == 0))),
            even.eq(~word.as_value().xor()),
        ]
        operands = {op: names for op, names in SOURCES.items() if op != Op.LINEAR}
        beyond = [
            self._is(*(op for op, names in operands.items() if name in names))
            & self._beyond(word[name], last)
            for name in "abd"
        ]
        for side, end in (("a", last), ("d", outputs_last)):
            beyond.append(self._is(Op.LINEAR) & self._apart(side, end))
        counts = (self._is(*COUNTING) & none) | (self._is(Op.LINEAR) & outputs_none)
        counts |= self._is(Op.CHANNELS) & (last >= spec.engine.outputs_max)
        counts |= self._is(Op.ROOT) & word.extra[START_BITS:].any()
        counts |= self._is(Op.ROTATE) & ~last[0]
        if not spec.gelu:
            counts |= self._is(Op.GATE) & word.scaled
        together = exact_log2(spec.engine.tokens_together)
        most = Mux(outputs_last >= spec.engine.output_lanes, together, exact_log2(VECTORS_MAX))
        slots = word.slot + Mux(self._is(Op.LINEAR), 1 << vectors_of(word), 1)
        many = slots > spec.engine.tokens_together
        counts |= self._is(Op.LINEAR) & ((word.b > most) | (word.form >= len(Form)))
        counts |= (self._is(*FACTORS) | (self._is(Op.LINEAR) & word.scaled)) & many
        steps = self._is(Op.LINEAR) & _not_whole(word.step, spec.bus_bytes)
        steps |= self._is(Op.CACHE) & self._uncached(last)
        refused = Signal()
        m.d.sync += refused.eq(Cat(beyond).any() | counts | steps | even)
        loaded = self.loaded
        fits = (last == loaded.inputs - 1) & (outputs_last == loaded.outputs - 1)
        fits &= outputs_last < loaded.channels
        m.d.comb += [
            self.refused.eq(refused | self._misaligned()),
            self.wrong.eq(self.refused | (self._is(Op.LINEAR) & ~fits)),
        ]

    def _is(self, *ops: Op) -> Value:
        """Return whether the operation is one of these."""
        return Cat(self.instruction.op[:4] == op.value for op in ops).any()

    def _beyond(self, word: Value, last: Value) -> Value:
        """Return whether a vector from a word on reaches beyond the vector memory."""
        bits = exact_log2(self.spec.vector_words)
        words = last >> exact_log2(self.spec.engine.inputs_per_beat)
        end = word[:bits] + words[:bits] + 1
        return word[bits:].any() | words[bits:].any() | (end > self.spec.vector_words)

    def _apart(self, side: str, last: Value) -> Value:
        """Return whether the vectors of LINEAR reach beyond the vector memory, or meet."""
        word, bits = self.instruction[side], exact_log2(self.spec.vector_words)
        words = last >> exact_log2(self.spec.engine.inputs_per_beat)
        pitch, vectors = pitch_of(self.instruction, side), vectors_of(self.instruction)
        end = word[:bits] + (pitch[: bits + 1] << vectors)
        wrong = word[bits:].any() | pitch[bits + 1 :].any() | (end > self.spec.vector_words)
        wrong |= words >= pitch
        return Mux(vectors.any(), wrong, self._beyond(word, last))

    def _code_bytes(self) -> list[tuple[Value, int]]:
        """Return when CACHE writes words of so many bytes."""
        engine, keys = self.spec.engine, self.instruction.keys
        sizes = ((keys, engine.inputs_per_beat), (~keys, engine.output_lanes))
        return [(when, codes // CODES_PER_BYTE) for when, codes in sizes]

    def _uncached(self, last: Value) -> Value:
        """Return whether CACHE writes no whole words at whole places, or has no factor."""
        word, odd = self.instruction, self.instruction.outputs[0]
        wrong = Mux(word.outputs_grow, ~self.position[0], odd) | ~word.b[FACTOR_BITS - 1]
        for when, size in self._code_bytes():
            part = ~last[: exact_log2(CODES_PER_BYTE * size)].all()
            wrong |= when & (part | _not_whole(word.step, size))
        return wrong

    def _misaligned(self) -> Value:
        """Return whether the address is not as the operation needs it."""
        spec, address = self.spec, self.address
        vector_bytes = FP16_BYTES * spec.engine.inputs_per_beat
        wrong = self._is(*WHOLE_WORDS) & _not_whole(address, spec.bus_bytes)
        wrong |= self._is(Op.STORE) & _not_whole(address, vector_bytes)
        wrong |= self._is(Op.TAKE, Op.NEXT) & _not_whole(address, TOKEN_BYTES)
        for when, size in self._code_bytes():
            wrong |= self._is(Op.CACHE) & when & _not_whole(address, size)
        return wrong


def _not_whole(number: Value, size: int) -> Value:
    """Return whether a number is not a multiple of a power of two."""
    return number[: exact_log2(size)].any()
