"""Clustering unit: binary search of an activation among the scaled midpoints."""

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Module, Signal, Value
from amaranth.lib import data

from hw.arith.bits import choose, exceeds
from hw.arith.wires import wire
from hw.formats import KEY
from hw.stream.component import Component, In, Out

SYMMETRIC_THRESHOLD = data.StructLayout({"exact": 1, "magnitude": 15})


def thresholds_layout(code_bits: int, *, symmetric: bool) -> data.ArrayLayout:
    """Return the layout of one token's thresholds, for codes of 4 or 5 bits.

    Symmetric: for the 7 or 15 positive midpoints, the FP16 magnitude rounded up, and whether that
    is the midpoint itself. Plain: the keys of all 15 or 31, those below zero less one: the
    complement of the magnitude. Unused ones are infinity (31744).
    """
    if symmetric:
        return data.ArrayLayout(SYMMETRIC_THRESHOLD, (1 << (code_bits - 1)) - 1)
    return data.ArrayLayout(KEY, (1 << code_bits) - 1)


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
    code_bits : int
        Bits of a code, 4 or 5.
    symmetric : bool
        Whether the codebook is symmetric.

    Timing
    ------
    Latency : ``latency`` cycles: 1 for 32 centroids that are not symmetric, 0 otherwise.
    Rate : one activation per cycle.
    Through paths : ``measure`` to ``code``, and ``activation`` if ``latency`` is 0; combinational.
    Reset : none needed.
    """

    measure = In(lambda c: thresholds_layout(c.code_bits, symmetric=c.symmetric))
    """The token's thresholds, ascending. Steady while activations are under way."""
    activation = In(16)
    """As from :func:`ordered`."""
    code = Out(lambda c: c.code_bits)
    """Symmetric: magnitude index, with the sign in the top bit. Plain: the index."""

    en = In(lambda c: 1 if c.latency else None)
    """Whether its registers take their values; only of a unit that has some."""

    def __init__(self, code_bits: int, *, symmetric: bool) -> None:
        self.code_bits, self.symmetric = code_bits, symmetric
        self.latency = int(code_bits - symmetric > 4)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        if self.symmetric:
            bounds = [bound.as_value() for bound in self.measure]
            magnitude = self._search(m, self.activation, bounds)
            m.d.comb += self.code.eq(Cat(magnitude, ~self.activation[0]))
        else:
            bounds = [Cat(bound[:15], ~bound[15]) for bound in self.measure]
            m.d.comb += self.code.eq(self._search_plain(m, bounds))

    def _search_plain(self, m: Module, bounds: Sequence[Value]) -> Value:
        """Return how many bounds are reached; the last bit is found behind registers."""
        if not self.latency:
            return self._search(m, self.activation, bounds)
        coarse, activation = Signal(self.code_bits - 1), Signal(16)
        with m.If(self.en):
            m.d.sync += [
                coarse.eq(self._search(m, self.activation, bounds[1::2])),
                activation.eq(self.activation),
            ]
        bound = wire(m, Array(bounds[::2])[coarse], "bound")
        return Cat(~exceeds(bound, activation), coarse)

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
