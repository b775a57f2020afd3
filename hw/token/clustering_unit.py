"""Clustering unit: binary search of an activation among the scaled midpoints."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data

from hw.arith.bits import choose, exceeds
from hw.arith.wires import wire
from hw.formats import INDEX_BITS, KEY
from hw.stream.component import Component, In, Out

SYMMETRIC_THRESHOLD = data.StructLayout({"exact": 1, "magnitude": 15})


def thresholds_layout(symmetric: bool) -> data.ArrayLayout:
    """Return the layout of one token's thresholds.

    Symmetric: for the 7 positive midpoints, the FP16 magnitude rounded up, and whether that is
    the midpoint itself. Plain: the keys of all 15, those below zero less one: the complement of
    the magnitude. Unused ones are infinity (31744).
    """
    if symmetric:
        return data.ArrayLayout(SYMMETRIC_THRESHOLD, 7)
    return data.ArrayLayout(KEY, 15)


def ordered(activation: Value, *, symmetric: bool) -> Value:
    """Return an activation, a finite FP16 pattern other than -0, as a unit compares it.

    Symmetric: the magnitude, and below it whether it is not negative. A negative value on a
    midpoint goes up, towards zero, so it must exceed the magnitude: 2|x| + positive >= 2t + exact
    says so for both signs at once. Plain: numbers below zero are complements, which are in their
    order, from -2**15.
    """
    magnitude, sign = activation[:15], activation[15]
    if symmetric:
        return Cat(~sign, magnitude)
    return Cat(magnitude ^ sign.replicate(15), ~sign)


class ClusteringUnit(Component):
    """Find the centroid nearest to an activation (paper: Clustering Unit).

    Bit-exact with :func:`golden.exact.clustering.cluster`: an activation on a midpoint goes to the
    upper cluster. The index comes out as it is coded on wires (:mod:`golden.exact.mapping`).

    Parameters
    ----------
    symmetric : bool
        Whether the codebook is symmetric.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one activation per cycle.
    Through paths : both inputs to ``code``, combinational.
    Reset : no state.
    """

    thresholds = In(lambda c: thresholds_layout(c.symmetric))
    """Ascending."""
    activation = In(16)
    """As from :func:`ordered`."""
    code = Out(INDEX_BITS)
    """Symmetric: magnitude index in bits 0 to 2, sign in bit 3. Plain: the index."""

    def __init__(self, symmetric: bool) -> None:
        self.symmetric = symmetric
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        if self.symmetric:
            bounds = [self.thresholds[n].as_value() for n in range(7)]
            magnitude = self._search(m, self.activation, bounds)
            m.d.comb += self.code.eq(Cat(magnitude, ~self.activation[0]))
        else:
            bounds = [Cat(bound[:15], ~bound[15]) for bound in self.thresholds]
            m.d.comb += self.code.eq(self._search(m, self.activation, bounds))

    @staticmethod
    def _search(m: Module, value: Value, bounds: Sequence[Value]) -> Value:
        """Return how many of the ascending bounds ``value`` reaches: two bits a step."""
        found: list[Value] = []
        while bounds:
            # The middles of the halves are tried together with that of the whole.
            part = (len(bounds) + 1) // 4
            tried = bounds[part - 1 :: part] if part else bounds
            reached = [
                wire(m, ~exceeds(bound, value), f"reaches_{len(bounds)}_{n}")
                for n, bound in enumerate(tried)
            ]
            if not part:
                return Cat(reached, *found)
            low, middle, high = reached
            found = [wire(m, (low & ~middle) | high, f"low_{part}"), middle, *found]
            parts = [~low, low & ~middle, middle & ~high, high]
            chosen = [wire(m, bit, f"part_{part}_{n}") for n, bit in enumerate(parts)]
            bounds = [
                wire(m, choose(*zip(chosen, column, strict=True)), f"bound_{part}_{n}")
                for n, column in enumerate(
                    zip(*(bounds[n * part : (n + 1) * part - 1] for n in range(4)), strict=True)
                )
            ]
        return Cat(*found)
