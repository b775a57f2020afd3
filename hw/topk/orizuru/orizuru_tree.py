"""The paper's Orizuru: two tournament trees over a whole token, made of units of 16 inputs."""

from functools import reduce
from operator import add

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from golden.exact.orizuru import hierarchy, hierarchy_comparisons
from hw.formats import require_power_of_two
from hw.stream.component import Out
from hw.topk.orizuru.orizuru_control import OrizuruControl, connect_streams
from hw.topk.orizuru.orizuru_leaf import OrizuruLeaf, compare_pairs, leaf_beat, leaf_period
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.orizuru_upper import OrizuruUpper, upper_period
from hw.topk.orizuru.tournament import candidate
from hw.topk.outlier_engine import OutlierEngine

SIDES = ("largest", "smallest")


class OrizuruTree(OutlierEngine):
    """Find the k_top largest and the k_top smallest activations of each token with two trees.

    Bit-exact with :func:`golden.exact.outliers.select_outliers`: of equals the lower position comes
    first, on both sides. Units of 16 keys hold the token; above them, units of either side take the
    best of 16 units below. Each unit looks ahead: it shows its next key while it looks for the one
    after it, so a pop takes no longer in a large tree than in one unit.

    Parameters
    ----------
    spec : OrizuruSpec
        The longest token, the most outliers, and two activations per beat or more.
    count : bool
        Whether to count comparisons.

    Timing
    ------
    Latency : ``latency`` cycles from the transfer of the last beat to ``valid`` on both outputs.
    Rate : one beat per cycle; then one outlier of each side every ``period`` cycles. The next
        token's first beat is taken once the last outliers have reached the outputs.
    Through paths : none.
    Reset : drops the token under way.
    """

    comparisons = Out(32)
    """Bits of nodes decided between two keys since reset, modulo 2**32; 0 unless ``count``. For
    each token :func:`golden.exact.orizuru.hierarchy_comparisons` of ``spec.inputs_max`` and
    ``k_top``: a shorter token is filled up with keys that lose to all.
    """

    def __init__(self, spec: OrizuruSpec, count: bool = False) -> None:
        require_power_of_two("values_per_beat", spec.values_per_beat, low=2, high=256)
        self.count = count
        self.levels = hierarchy(spec.inputs_max)
        uppers = [upper_period(inputs) for _, inputs in self.levels[1:]]
        self.period = max(leaf_period(self.levels[0][1]), *uppers, 1)
        # The keys are compared and kept for a cycle; then the units of each level look for their
        # first key, one level after the other.
        self._first = self.period * len(self.levels)
        self.latency = self._first + 2
        super().__init__(spec)

    def _leaf(self) -> OrizuruLeaf:
        inputs = self.levels[0][1]
        return OrizuruLeaf(inputs, min(inputs, self.spec.values_per_beat))

    def build(self, m: Module) -> None:  # noqa: D102
        m.submodules.control = control = OrizuruControl(
            self.spec.outliers_max, self._first, self.period
        )
        fire = Signal()
        m.d.comb += fire.eq(self.i.valid & self.i.ready)

        # Of each level and side: who takes another key, and what is offered.
        takes: list[list[Signal]] = []
        offers: list[list[data.View]] = []
        bits = 0
        for level, (units, inputs) in enumerate(self.levels):
            bits += exact_log2(inputs)
            layout = data.ArrayLayout(candidate(bits), units)
            takes.append([Signal(units, name=f"level{level}_{side}_takes") for side in SIDES])
            offers.append([Signal(layout, name=f"level{level}_{side}") for side in SIDES])

        self._leaves(m, fire, control, takes[0], offers[0])
        for level in range(1, len(self.levels)):
            above = control.last if level == len(self.levels) - 1 else Const(0, 2)
            first = control.age[self.period * level]
            for side in range(2):
                popped = self._uppers(m, level, side, above[side], takes, offers)
                m.d.comb += takes[level - 1][side].eq(popped | first.replicate(len(popped)))
        for side in range(2):
            m.d.comb += takes[-1][side].eq(control.take[side])
        connect_streams(m, self, control, fire, (offers[-1][0][0], offers[-1][1][0]))
        if self.count:
            self._count(m, control, takes)

    def _leaves(
        self,
        m: Module,
        fire: Signal,
        control: OrizuruControl,
        takes: list[Signal],
        offers: list[data.View],
    ) -> None:
        """Bring the beats to the units that hold the keys."""
        width = self.spec.values_per_beat
        beat = Signal(leaf_beat(width), reset_less=True)
        write, begin = Signal(), Signal(init=1)
        number = Signal(range(max(self.spec.beats_max, 2)))
        m.d.sync += write.eq(fire)
        with m.If(fire):
            m.d.sync += [
                beat.eq(compare_pairs(m, self.i.payload.keys, self.i.payload.mask)),
                number.eq(Mux(begin, 0, number + 1)),
                begin.eq(self.i.payload.last),
            ]
        clear = Signal()
        m.d.comb += clear.eq(write & (number == 0))
        alone = len(self.levels) == 1
        for n in range(self.levels[0][0]):
            leaf = self.put(m, f"leaf{n}", self._leaf())
            low = n * leaf.inputs
            for part in range(len(leaf.load)):
                own = (low + part * leaf.lanes) // width
                m.d.comb += leaf.load[part].eq(write & (number == own))
            low %= width
            m.d.comb += [
                leaf.clear.eq(clear),
                leaf.beat.keys.eq(beat.keys[low : low + leaf.lanes]),
                leaf.beat.mask.eq(beat.mask[low:][: leaf.lanes]),
                leaf.beat.greater.eq(beat.greater[low // 2 :][: leaf.lanes // 2]),
                leaf.beat.less.eq(beat.less[low // 2 :][: leaf.lanes // 2]),
                leaf.take.eq(Cat(take[n] for take in takes)),
                leaf.last.eq(control.last if alone else 0),
                offers[0][n].eq(leaf.largest),
                offers[1][n].eq(leaf.smallest),
            ]

    def _uppers(
        self,
        m: Module,
        level: int,
        side: int,
        last: Value,
        takes: list[list[Signal]],
        offers: list[list[data.View]],
    ) -> Value:
        """Add the units of one level and side; return whose keys they take below."""
        below = offers[level - 1][side]
        units, inputs = self.levels[level]
        popped = []
        for n in range(units):
            upper = self.put(
                m,
                f"level{level}_{SIDES[side]}{n}",
                OrizuruUpper(inputs, len(below[0].position)),
                take=takes[level][side][n],
            )
            m.d.comb += [upper.last.eq(last), offers[level][side][n].eq(upper.largest)]
            there = min(inputs, len(takes[level - 1][side]) - n * inputs)
            m.d.comb += [upper.offers[i].eq(below[n * inputs + i]) for i in range(there)]
            popped.append(upper.takes[:there])
        return Cat(popped)

    def _count(self, m: Module, control: OrizuruControl, takes: list[list[Signal]]) -> None:
        """Count the bits of nodes: all of them once, then those on the path of each pop."""
        terms: list[Value] = [
            Mux(control.complete, hierarchy_comparisons(self.spec.inputs_max, 0), 0)
        ]
        root = len(self.levels) - 1
        for level, (_, inputs) in enumerate(self.levels):
            path = exact_log2(inputs) - (level == 0)  # a leaf's neighbour wins without a match
            for side, take in enumerate(takes[level]):
                replayed = take & ~control.last[side] if level == root else take
                terms.append(_ones(replayed) * path)
        m.d.sync += self.comparisons.eq(self.comparisons + reduce(add, terms))


def _ones(bits: Value) -> Value:
    """Return how many bits are set; logarithmic depth."""
    counts = list(bits)
    while len(counts) > 1:
        odd = [counts.pop()] if len(counts) % 2 else []
        counts = [a + b for a, b in zip(counts[::2], counts[1::2], strict=True)] + odd
    return counts[0]
