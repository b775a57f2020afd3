"""FP16 lane: a multiplier for each input, and a tree of adders."""

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.utils import exact_log2

from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.stream.component import Component, In, Out


class Fp16Lane(Component):
    """Multiply the activations of one beat with the weights of one output channel, and add.

    Every product and every sum is rounded to FP16. Neighbours are added in pairs, then pairs of
    pairs, and so on: :func:`golden.exact.mac.fp16_sums`.

    Parameters
    ----------
    inputs : int
        Activations of a beat: a power of two.
    pipelined : bool
        Whether units are.

    Timing
    ------
    Latency : ``latency`` cycles: 0, or 4 for the product and 4 for each level of the tree.
    Rate : one sum per cycle.
    Through paths : both inputs to ``sum``, combinational; none if pipelined.
    Reset : no state; what is under way in the pipeline goes on.
    """

    activations = In(lambda c: data.ArrayLayout(16, c.inputs))
    """FP16 patterns."""
    weights = In(lambda c: data.ArrayLayout(16, c.inputs))
    """FP16 patterns."""
    sum = Out(16)
    """FP16 pattern of the sum."""

    def __init__(self, inputs: int, *, pipelined: bool = False) -> None:
        self.inputs, self.pipelined = inputs, pipelined
        depth = Fp16Multiply.STAGES + exact_log2(inputs) * Fp16Add.STAGES
        self.latency = depth if pipelined else 0
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        terms = []
        for k in range(self.inputs):
            unit = self.put(m, f"multiply{k}", Fp16Multiply(pipelined=self.pipelined))
            m.d.comb += [unit.a.eq(self.activations[k]), unit.b.eq(self.weights[k])]
            terms.append(unit.o)
        while len(terms) > 1:
            sums = []
            for n, (a, b) in enumerate(zip(terms[::2], terms[1::2], strict=True)):
                unit = self.put(m, f"add{len(terms)}_{n}", Fp16Add(pipelined=self.pipelined))
                m.d.comb += [unit.a.eq(a), unit.b.eq(b)]
                sums.append(unit.o)
            terms = sums
        m.d.comb += self.sum.eq(terms[0])
