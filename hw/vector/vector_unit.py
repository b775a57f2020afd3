"""Vector unit: FP16 vectors element by element, and sums over them."""

from typing import Any, NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from golden.exact.fp16 import INFINITY
from hw.arith.bits import choose, used_lanes
from hw.arith.wires import wire
from hw.formats import SCALE
from hw.stream.component import InStream, Out, Sized
from hw.stream.pipeline import later
from hw.vector.inverse_unit import InverseUnit
from hw.vector.largest import Largest
from hw.vector.vector_lanes import GATED, POWERS, SUM, TIMES, TURNED, Lanes, compute
from hw.vector.vector_operands import Skew, Wanted, instruction_layout, operands
from hw.vector.vector_spec import VectorRead, VectorSpec, VectorWrite
from hw.vector.vector_sum import START_BITS, VectorSum

ONE = {"mantissa": 1 << 10, "exponent": -10}


class Flag(NamedTuple):
    """A step on its way."""

    valid: Value
    last: Value


class VectorUnit(Sized[VectorSpec]):
    """Do the vector operations of a chip, one after another.

    Bit-exact with :class:`golden.chip.machine.Machine`. For each lane there are a multiplier and an
    adder, and a function unit for each two: pipelines that never wait. A product of a product goes
    through the multiplier twice.

    Timing
    ------
    Latency : :meth:`cycles` says how many cycles an instruction takes, from the first in which
        ``i.valid`` is high to that in which it is taken.
    Rate : one instruction at a time.
    Through paths : ``i.payload`` and ``i.valid`` to ``read``; ``i.payload`` to ``write``;
        combinational.
    Reset : drops the instruction under way; what it has written stays. The factor is 1, the
        largest number and the token are 0.
    """

    i = InStream(lambda c: instruction_layout(c.spec))
    """``op`` of :class:`golden.chip.instruction.Op`; words ``a``, ``b`` and ``d`` of the memory;
    ``count`` of numbers, at least 1; ``continues``, which is ``scaled``, and ``extra`` as the
    operation has them: of the start of ROOT, 40 bits. Taken when all is done.
    """
    read = Out(lambda c: VectorRead(c.spec))
    """Reads the vector memory."""
    write = Out(lambda c: VectorWrite(c.spec))
    """Writes it. What an operation reads it must not have written, but in the same place."""
    writes = Out(1)
    """Whether it may write in this cycle; from a register."""
    factor = Out(SCALE)
    """What ROOT or POWERS left last."""
    chosen = Out(32)
    """What CHOOSE left last."""
    idle = Out(1)
    """Whether no instruction is under way."""

    def __init__(self, spec: VectorSpec) -> None:
        self.skew = Skew.of(spec, POWERS)
        self.largest = Largest(spec.lanes)
        self.taps = {
            **{"ADD": SUM, "MULTIPLY": SUM, "ROTATE": TURNED, "GATE": GATED + 1},
            **{"POWERS": TIMES + self.skew.spare + 1, "ROOT": 2, "LARGEST": 1, "CHOOSE": 1},
        }
        summed = POWERS + VectorSum.POWERS_LATENCY - self.taps["POWERS"]
        self.pauses = {
            **{"POWERS": max(summed - 1, 0), "ROOT": VectorSum.LATENCY - 2},
            **dict.fromkeys(("LARGEST", "CHOOSE"), self.largest.latency - 1),
        }
        super().__init__(spec)

    def cycles(self, op: str, count: int) -> int:
        """Return how many cycles an instruction takes.

        Parameters
        ----------
        op : str
            Its name in :class:`golden.chip.instruction.Op`.
        count : int
            Of its numbers.
        """
        words, rest = divmod(count - 1, self.spec.word_lanes)
        slots = 2 if op in ("ROTATE", "GATE", "POWERS", "ROOT") else 1
        steps = (words * (self.spec.steps + 1) + rest // self.spec.lanes) * slots
        scalar = {"POWERS": 1 + InverseUnit.LATENCY, "ROOT": 1 + InverseUnit.LATENCY, "CHOOSE": 1}
        return 2 + steps + self.taps[op] + self.pauses.get(op, 0) + 2 + scalar.get(op, 0)

    def build(self, m: Module) -> None:  # noqa: D102
        one, idle = self.i.payload, Signal()
        start, running = wire(m, idle & self.i.valid, "start"), Signal()
        wanted = Wanted.of(m, one.op, one.continues)
        number = Signal(16, reset_less=True)  # the factor as it multiplies numbers
        m.d.sync += number.eq(_number(m, self.factor))
        steps = operands(m, self.spec, one, wanted, self.skew, self.read, running, start)
        flags = [Flag(steps.valid, steps.last)]
        for _ in range(self.taps["POWERS"]):
            # None is left of the instruction before.
            flags.append(self._behind(m, flags[-1], running))
        counts = used_lanes(steps.last, one.count, self.spec.lanes).as_unsigned()
        largest, searches = self.largest, wanted.largest | wanted.choose
        scalars = largest.largest, number
        lanes = compute(
            self, m, wanted, steps, counts, *scalars, self.skew.spare, gelu=self.spec.gelu
        )
        sums = self._sum(m, wanted, flags, lanes, start)
        self.put(
            m,
            "largest",
            largest,
            start=start & searches,
            choosing=wanted.choose,
            continues=one.continues,
            first=one.extra[:32],
            used=self._used(flags[1]) & searches.replicate(self.spec.lanes),
            numbers=Cat(lanes.numbers),
        )
        m.d.comb += self.chosen.eq(largest.chosen)
        written = self._write(m, wanted, flags, lanes, running)
        ended = wanted.root & flags[2].valid & flags[2].last
        ended |= searches & flags[1].valid & flags[1].last
        self._phases(m, wanted, wire(m, written | ended, "finished"), idle, running, sums.total)

    def _sum(
        self, m: Module, wanted: Wanted, flags: list[Flag], lanes: Lanes, start: Value
    ) -> VectorSum:
        """Add up squares or powers, of even lanes first."""
        first = self._flag(m, (wanted.root, flags[1]), (wanted.powers, flags[POWERS]))
        used, behind = self._used(first), self._used(self._behind(m, first))
        sums = VectorSum(len(lanes.pairs))
        return self.put(
            m,
            "sum",
            sums,
            clear=start,
            start=self.i.payload.extra[:START_BITS] & wanted.root.replicate(START_BITS),
            squares=wanted.root,
            used=used[::2] | behind[1::2],
            numbers=Cat(lanes.pairs),
            powers=Cat(lanes.functions),
        )

    def _write(
        self, m: Module, wanted: Wanted, flags: list[Flag], lanes: Lanes, running: Value
    ) -> Value:
        """Write what lanes have computed; return whether all is written."""
        spec = self.spec
        soon = self._flag(
            m,
            (wanted.add | wanted.multiply, flags[SUM - 1]),
            (wanted.rotate, flags[TURNED - 1]),
            (wanted.gate, flags[GATED - 1]),
            (wanted.powers, flags[TIMES + self.skew.spare - 1]),
        )
        first = self._behind(m, soon, running)
        behind = self._behind(m, first)
        end = Flag(*(Mux(wanted.split, *pair) for pair in zip(behind, first, strict=True)))
        even, odd = self._used(first), self._used(end)
        used = Cat((odd if n % 2 else even)[n] for n in range(spec.lanes))
        step, word = Signal(spec.steps, init=1), Signal(spec.address_bits)
        with m.If(~running):
            m.d.sync += [step.eq(1), word.eq(0)]
        with m.Elif(end.valid):
            m.d.sync += [step.eq(step.rotate_left(1)), word.eq(word + step[-1])]
        summed = wire(m, wanted.add | wanted.rotate, "summed")
        results = [Mux(summed, *pair) for pair in zip(lanes.sums, lanes.products, strict=True)]
        m.d.comb += [
            self.writes.eq(first.valid | behind.valid),
            self.write.address.eq(self.i.payload.d + word),
            self.write.data.eq(Cat(results).replicate(spec.steps)),
            self.write.en.eq(Cat(used & bit.replicate(spec.lanes) for bit in step)),
        ]
        return end.valid & end.last

    def _flag(self, m: Module, *options: tuple[Value, Flag]) -> Flag:
        """Return the flags of the option that is wanted."""
        pairs = [(wanted, Cat(flag)) for wanted, flag in options]
        return Flag(*wire(m, choose(*pairs), "flag"))

    def _behind(self, m: Module, flag: Flag, kept: Value | int = 1) -> Flag:
        """Return flags a cycle later."""
        valid = later(m, flag.valid & kept, 1, reset_less=False)
        return Flag(valid, later(m, flag.last, 1))

    def _used(self, flag: Flag) -> Value:
        """Return which lanes of a step hold a number of the vector."""
        lanes = self.spec.lanes
        mask = used_lanes(flag.last, self.i.payload.count, lanes).as_unsigned()[:lanes]
        return mask & flag.valid.replicate(lanes)

    def _phases(
        self,
        m: Module,
        wanted: Wanted,
        finished: Value,
        idle: Signal,
        running: Signal,
        total: Value,
    ) -> None:
        """Do one instruction after another; ``finished`` is that all numbers are worked off."""
        inverse = self.put(m, "inverse", InverseUnit(len(total)))
        factor = Signal(SCALE, init=ONE)
        pause = Signal(range(max(self.pauses.values()) + 1))
        by_op = ((getattr(wanted, op.lower()), Const(n, 4)) for op, n in self.pauses.items())
        m.d.comb += [
            self.factor.eq(factor),
            self.idle.eq(idle),
            inverse.i.payload.eq(Cat(total, wanted.root)),
            inverse.o.ready.eq(1),
        ]
        with m.FSM(name="doing"):
            with m.State("IDLE"):
                m.d.comb += idle.eq(1)
                with m.If(self.i.valid):
                    m.next = "RUN"
            with m.State("RUN"):
                m.d.comb += running.eq(1)
                m.d.sync += pause.eq(choose(*by_op))
                with m.If(finished):
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.sync += pause.eq(pause - 1)
                with m.If(pause == 0):
                    m.d.comb += self.largest.finish.eq(wanted.choose)
                    m.next = "DONE"
                    with m.If(wanted.choose | wanted.powers | wanted.root):
                        m.next = "CONCLUDE"
            with m.State("CONCLUDE"):
                m.d.comb += inverse.i.valid.eq(~wanted.choose)
                m.next = "DONE"
                with m.If(~wanted.choose):
                    m.next = "INVERT"
            with m.State("INVERT"):
                with m.If(inverse.o.valid):
                    m.d.sync += factor.eq(inverse.o.payload)
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.i.ready.eq(1)
                m.next = "IDLE"


def _number(m: Module, factor: Any) -> Value:
    """Return a factor as an FP16 number, as :func:`golden.exact.norms.factor_number` does."""
    field = wire(m, factor.exponent + 25, "field")
    small, large = wire(m, field < 1, "factor_small"), wire(m, field > 30, "factor_large")
    normal = Cat(factor.mantissa[:10], field[:5])
    return Mux(large, INFINITY, normal & (~small).replicate(15))
