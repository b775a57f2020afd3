"""Lookup tree: one product per input lane, looked up and summed."""

from amaranth.hdl import Array, Cat, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.engine_spec import INDEX_BITS, EngineSpec


class LookupTree(wiring.Component):
    """Look up the products of one beat for one output channel, and add them.

    What an ordinary engine does with multipliers: each weight code chooses an entry of its
    lane's row. Offset-binary terms (the sign inverted) make the whole tree unsigned, without
    sign extension; the offsets add up to the sum's own sign bit. A negated magnitude is its
    complement, and the missing one is the tree's carry in.

    Parameters
    ----------
    spec : EngineSpec
        Lanes and widths.

    Ports
    -----
    rows : In(array of spec.row)
        Row of each input lane.
    weights : In(array of 4-bit codes)
        Weight code of each input lane.
    sum : Out(signed(spec.tree_bits))
        Sum of the entries.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one sum per cycle.
    Through paths : every input to ``sum``, combinational.
    Reset : no state.
    """

    rows: data.View
    weights: data.View
    sum: Signal

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        lanes = spec.inputs_per_beat
        ports = {
            "rows": In(data.ArrayLayout(spec.row, lanes)),
            "weights": In(data.ArrayLayout(INDEX_BITS, lanes)),
            "sum": Out(signed(spec.tree_bits)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        spec = self.spec
        terms, carries = [], []
        for n in range(spec.inputs_per_beat):
            row, weight = self.rows[n], self.weights[n]
            term = Signal(spec.numbers.magnitude_bits + 1, name=f"term{n}")
            if spec.numbers.symmetric:
                entries = Array(row.entries[j] for j in range(spec.entries))
                negative = Signal(name=f"negative{n}")
                chosen = entries[weight[: INDEX_BITS - 1]]
                width = spec.numbers.magnitude_bits
                m.d.comb += [
                    negative.eq(row.sign ^ weight[-1]),
                    term.eq(Cat(chosen ^ negative.replicate(width), ~negative)),
                ]
                carries.append(negative)
            else:
                entries = Array(row.entries[j].as_unsigned() for j in range(spec.entries))
                sign = 1 << spec.numbers.magnitude_bits
                m.d.comb += term.eq(entries[weight] ^ sign)
            terms.append(term)
        total = Signal(spec.tree_bits, name="total")
        m.d.comb += [
            total.eq(self._add(m, terms, carries)),
            # Together the offsets are half of the sum's range: inverting its sign removes them.
            self.sum.eq(Cat(total[:-1], ~total[-1])),
        ]
        return m

    @staticmethod
    def _add(m: Module, terms: list[Signal], carries: list[Signal]):
        """Add in pairs; each adder takes a carry in, and the one left over comes last."""
        carries = list(carries)
        while len(terms) > 1:
            sums = []
            for a, b in zip(terms[::2], terms[1::2], strict=True):
                total = Signal(len(a) + 1, name=f"sum{len(terms)}_{len(sums)}")
                m.d.comb += total.eq(a + b + (carries.pop() if carries else 0))
                sums.append(total)
            terms = sums
        return terms[0] + (carries.pop() if carries else 0)
