"""Index map: the value that each index stands for."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import data

from golden.exact.index_statistics import INDEX_BITS, INDICES
from golden.exact.spec import require_int
from golden.quantise.index_fit import VALUE_DIGITS
from hw.arith.bits import choose
from hw.arith.wires import wire
from hw.stream.component import Component, In, InStream, OutStream

SIGN_AND_EXPONENT = 6  # bits of an FP16 number


class IndexMap(Component):
    """Replace indices by values of a function; numbers of index 15 are their own values.

    Bit-exact with :class:`golden.exact.index_maps.CodebookMap` where numbers pass, behind what
    finds the indices, if the lower bits of its values are zeros.

    Parameters
    ----------
    lanes : int
        Elements of a beat, 1 to 64.
    value_bits : int
        Upper bits of a value that are not always zeros, 6 to 16.

    Timing
    ------
    Latency : ``LATENCY`` cycle from a transfer to ``o.valid``.
    Rate : one beat per cycle while ``o.ready`` is high.
    Through paths : ``o.ready`` to ``i.ready``, combinational.
    Reset : drops the beat in flight.
    """

    LATENCY = 1

    values = In(lambda c: data.ArrayLayout(c.value_bits, INDICES - 1))
    """The function's value for indices 0 to 14; steady while beats are under way."""
    i = InStream(lambda c: c.beat)
    """FP16 numbers and their indices."""
    o = OutStream(lambda c: data.ArrayLayout(16, c.lanes))
    """FP16 values."""

    def __init__(self, lanes: int, value_bits: int = SIGN_AND_EXPONENT + VALUE_DIGITS - 1) -> None:
        require_int("lanes", lanes, low=1, high=64)
        require_int("value_bits", value_bits, low=SIGN_AND_EXPONENT, high=16)
        self.lanes, self.value_bits = lanes, value_bits
        numbers, indices = (data.ArrayLayout(bits, lanes) for bits in (16, INDEX_BITS))
        self.beat = data.StructLayout({"numbers": numbers, "indices": indices})
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
            for n in range(self.lanes):
                index, number = self.i.payload.indices[n], self.i.payload.numbers[n]
                decoded = wire(m, Cat(index == k for k in range(INDICES)), f"decoded{n}")
                low = Const(0, 16 - self.value_bits)
                values = [Cat(low, value) for value in self.values]
                chosen = choose(*zip(decoded, [*values, number], strict=True))
                m.d.sync += self.o.payload[n].eq(chosen)
