"""Storer: numbers of the vector memory into the memory outside."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.utils import exact_log2

from hw.chip.address import Address
from hw.chip.chip_spec import COUNT_BITS
from hw.chip.unit import Unit
from hw.chip.write_port import write_layout
from hw.stream.component import Out, OutStream
from hw.vector.vector_spec import VectorRead


class Storer(Unit):
    """Carry out STORE, as :meth:`golden.chip.machine.Machine.store` says, word by word.

    The address is that of a whole word of the vector memory.

    Timing
    ------
    Latency : 2 cycles from ``start`` to the first ``write_o.valid``.
    Rate : a word in two cycles.
    Through paths : none.
    Reset : drops the step.
    """

    read = Out(lambda c: VectorRead(c.spec.vectors))
    """Side of the vector memory."""
    write_o = OutStream(lambda c: write_layout(c.spec))
    """What to write."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, step = self.spec, self.step
        lanes = spec.engine.inputs_per_beat
        lane_bits = exact_log2(lanes)
        left, address = Signal(COUNT_BITS), Address(m, "address")
        word = Signal(spec.vectors.address_bits)
        last, taken = Signal(), Signal()
        busy = self.run(m, taken & last)
        valid, fetch = Signal(), Signal()
        payload = self.write_o.payload
        used = Signal(lanes)
        copies = len(payload.data) // spec.vector_bits
        place = address.value[lane_bits + 1 :][: exact_log2(copies)]
        m.d.comb += [
            last.eq(left <= lanes),
            taken.eq(valid & self.write_o.ready),
            fetch.eq(busy & ~valid),
            self.read.en.eq(fetch),
            self.read.address.eq(Mux(fetch, word, 0)),
            used.eq(Mux(left >= lanes, ~0, (1 << left[:lane_bits]) - 1)),
            self.write_o.valid.eq(valid),
            payload.address.eq(address.value),
            payload.data.eq(self.read.data.as_value().replicate(copies)),
            payload.strobe.eq(Cat(bit.replicate(2) for bit in used) << (place << lane_bits + 1)),
        ]
        m.d.sync += valid.eq(fetch | (valid & ~self.write_o.ready))
        with m.If(taken):
            m.d.sync += [
                left.eq(left - lanes),
                *address.grow(2 * lanes),
                word.eq(word + 1),
            ]
        with m.If(self.start):
            m.d.sync += [left.eq(step.count), *address.put(step.address), word.eq(step.a)]
