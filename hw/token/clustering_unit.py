"""Clustering unit: binary search of an activation among the scaled midpoints."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.bits import exceeds
from hw.engine_spec import INDEX_BITS, KEY
from hw.fp16.fp16_key import Fp16Key

SYMMETRIC_THRESHOLD = data.StructLayout({"exact": 1, "magnitude": 15})


def thresholds_layout(symmetric: bool) -> data.ArrayLayout:
    """Return the layout of one token's thresholds.

    Symmetric: for the 7 positive midpoints, the FP16 magnitude rounded up, and whether that is
    the midpoint itself. Plain: the keys of all 15. Unused ones are infinity (31744).
    """
    if symmetric:
        return data.ArrayLayout(SYMMETRIC_THRESHOLD, 7)
    return data.ArrayLayout(KEY, 15)


class ClusteringUnit(wiring.Component):
    """Find the centroid nearest to an activation (paper: Clustering Unit).

    Bit-exact with :func:`golden.clustering.cluster`: an activation on a midpoint goes to the
    upper cluster. The index comes out as it is coded on wires (:mod:`golden.mapping`).

    Parameters
    ----------
    symmetric : bool
        Whether the codebook is symmetric.

    Ports
    -----
    thresholds : In(``thresholds_layout(symmetric)``)
        Ascending.
    activation : In(16)
        Finite FP16 pattern, not -0.
    code : Out(4)
        Symmetric: magnitude index in bits 0 to 2, sign in bit 3. Plain: the index.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one activation per cycle.
    Through paths : both inputs to ``code``, combinational.
    Reset : no state.
    """

    thresholds: data.View
    activation: Signal
    code: Signal

    def __init__(self, symmetric: bool) -> None:
        self.symmetric = symmetric
        ports = {
            "thresholds": In(thresholds_layout(symmetric)),
            "activation": In(16),
            "code": Out(INDEX_BITS),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        if self.symmetric:
            # A negative value on a midpoint goes up, towards zero, so it must exceed the
            # magnitude: 2|x| + positive >= 2t + exact says so for both signs at once.
            sign = self.activation[15]
            value = Cat(~sign, self.activation[:15])
            bounds = [self.thresholds[n].as_value() for n in range(7)]
            m.d.comb += self.code.eq(Cat(self._search(m, value, bounds), sign))
        else:
            m.submodules.key = key = Fp16Key()
            m.d.comb += key.bits.eq(self.activation)
            bounds = [_unsigned(self.thresholds[n]) for n in range(15)]
            m.d.comb += self.code.eq(self._search(m, _unsigned(key.key), bounds))
        return m

    @staticmethod
    def _search(m: Module, value, bounds: list):
        """Return how many of the ascending bounds ``value`` reaches: one bit per level."""
        found = []
        while bounds:
            # The middle of each half that is still possible; the bits found so far choose.
            half = len(bounds) // 2
            bit = Signal(name=f"reaches_{len(bounds)}")
            m.d.comb += bit.eq(~exceeds(bounds[half], value))
            found.insert(0, bit)
            low, high = bounds[:half], bounds[half + 1 :]
            chosen = []
            for n, (below, above) in enumerate(zip(low, high, strict=True)):
                bound = Signal.like(value, name=f"bound_{half}_{n}")
                m.d.comb += bound.eq(below)
                with m.If(bit):
                    m.d.comb += bound.eq(above)
                chosen.append(bound)
            bounds = chosen
        return Cat(found)


def _unsigned(key: Value) -> Value:
    """Return a number that is unsigned and in the same order."""
    return Cat(key[:-1], ~key[-1])
