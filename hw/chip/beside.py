"""Beside: whether an instruction may be carried out while LINEAR is."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

from golden.chip.instruction import Op
from golden.chip.rules import FACTORS, LOADS, SOURCES
from hw.chip.chip_spec import STEP, ChipSpec, pitch_of, vectors_of, words_of
from hw.stream.component import In, Out, Sized

ELEMENTS = (Op.LOAD, Op.ADD, Op.MULTIPLY, Op.ROTATE, Op.GATE, Op.LARGEST, Op.CHOOSE)


class Beside(Sized[ChipSpec]):
    """Say which instructions need not wait for LINEAR to end.

    Those that load constants do not. Those that work in the vector memory wait until LINEAR has
    read its vectors, and to its end if they read or write where it writes; a factor is not made
    while LINEAR waits for one of its own.

    Timing
    ------
    Latency : 2 cycles from ``ahead`` and ``linear`` to ``may``; 0 from the others.
    Rate : an instruction per cycle.
    Through paths : ``ahead``, ``feeding`` and ``owes`` to ``may``; combinational.
    Reset : none is needed.
    """

    ahead = In(STEP)
    """The instruction that begins next; steady."""
    linear = In(STEP)
    """LINEAR; steady."""
    feeding = In(1)
    """Whether it still reads its vectors."""
    owes = In(1)
    """Whether it has not taken its factor."""
    may = Out(1)
    """Whether the instruction may begin, all others but LINEAR having ended."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, ahead, linear = self.spec, self.ahead, self.linear
        lanes, bits = spec.engine.inputs_per_beat, spec.vectors.address_bits
        end = Signal(bits + 1)  # of what LINEAR writes
        words = Signal(bits + 1)
        m.d.sync += [
            end.eq(
                linear.d[:bits]
                + (
                    Mux(
                        vectors_of(linear).any(),
                        pitch_of(linear, "d"),
                        words_of(linear.outputs, lanes),
                    )
                    << vectors_of(linear)
                )
            ),
            words.eq(words_of(ahead.count, lanes)),
        ]
        meets = Signal(3)
        for n, name in enumerate("abd"):
            uses = self._is(*(op for op, names in SOURCES.items() if name in names))
            first = ahead[name][:bits]
            apart = (first >= end) | (first + words <= linear.d[:bits])
            m.d.sync += meets[n].eq(uses & ~apart)
        free = ~self.feeding & ~meets.any()
        makes = self._is(*FACTORS) & ~self.owes
        m.d.comb += self.may.eq(self._is(*LOADS) | ((self._is(*ELEMENTS) | makes) & free))

    def _is(self, *ops: Op) -> Value:
        """Return whether the operation is one of these."""
        return Cat(self.ahead.op == op.value for op in ops).any()
