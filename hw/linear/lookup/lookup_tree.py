"""Lookup tree: one product per input lane, looked up and summed."""

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.arith.bits import element
from hw.arith.column_sum import sum_columns
from hw.arith.wires import wire
from hw.engine_spec import EngineSpec
from hw.formats import INDEX_BITS
from hw.stream.component import Component, In, Out


class LookupTree(Component):
    """Look up the products of one beat for one output channel, and add them.

    What an ordinary engine does with multipliers: each weight code chooses an entry of its
    lane's row. Offset-binary terms (the sign inverted) make the whole tree unsigned, without
    sign extension; the offsets add up to the sum's own sign bit. A negated magnitude is its
    complement, and the ones that complements lack are added with the rest.

    Parameters
    ----------
    spec : EngineSpec
        Widths.
    lanes : int, optional
        Input lanes that it adds, a power of two: ``spec.inputs_per_beat`` by default.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational.
    Reset : no state.
    """

    rows = In(lambda c: data.ArrayLayout(c.spec.row, c.lanes))
    """Row of each input lane."""
    weights = In(lambda c: data.ArrayLayout(INDEX_BITS, c.lanes))
    """Weight code of each input lane."""
    sum = Out(lambda c: signed(c.spec.numbers.magnitude_bits + 1 + exact_log2(c.lanes)))
    """Sum of the entries."""

    def __init__(self, spec: EngineSpec, lanes: int | None = None) -> None:
        self.spec = spec
        self.lanes = lanes = spec.inputs_per_beat if lanes is None else lanes
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        spec = self.spec
        terms, carries = [], []
        for n in range(self.lanes):
            row, weight = self.rows[n], self.weights[n]
            term = Signal(spec.numbers.magnitude_bits + 1, name=f"term{n}")
            if spec.numbers.symmetric:
                negative = Signal(name=f"negative{n}")
                chosen = element(m, row.entries, weight[: INDEX_BITS - 1])
                width = spec.numbers.magnitude_bits
                m.d.comb += [
                    negative.eq(row.sign ^ weight[-1]),
                    term.eq(Cat(chosen ^ negative.replicate(width), ~negative)),
                ]
                carries.append(negative)
            else:
                sign = 1 << spec.numbers.magnitude_bits
                m.d.comb += term.eq(element(m, row.entries, weight) ^ sign)
            terms.append(term)
        places: dict[int, list[Value]] = {0: list(carries)}
        for term in terms:
            for place, bit in enumerate(term):
                places.setdefault(place, []).append(bit)
        total = wire(m, sum_columns(m, places, len(self.sum), "sum"), "total")
        # Together the offsets are half of the sum's range: inverting its sign removes them.
        m.d.comb += self.sum.eq(Cat(total[:-1], ~total[-1]))
