"""The paper's Orizuru of one unit: two tournament trees over a short token."""

from amaranth.hdl import Module, Mux, Signal

from golden.exact.orizuru import tree_comparisons
from hw.formats import require_power_of_two
from hw.stream.component import Out
from hw.topk.orizuru.orizuru_control import OrizuruControl, connect_streams
from hw.topk.orizuru.orizuru_leaf import OrizuruLeaf, compare_pairs, leaf_period
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.outlier_engine import OutlierEngine


class OrizuruUnit(OutlierEngine):
    """Find the k_top largest and the k_top smallest activations of each token with two trees.

    Bit-exact with :func:`golden.exact.outliers.select_outliers`: of equals the lower position comes
    first, on both sides.

    Parameters
    ----------
    spec : OrizuruSpec
        The longest token, a power of two; the most outliers; activations per beat, of two to all.
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
    each token :func:`golden.exact.orizuru.tree_comparisons` of ``spec.inputs_max`` and ``k_top``: a
    shorter token is filled up with keys that lose to all.
    """

    def __init__(self, spec: OrizuruSpec, count: bool = False) -> None:
        require_power_of_two("inputs_max", spec.inputs_max, low=2, high=1 << 16)
        require_power_of_two("values_per_beat", spec.values_per_beat, low=2, high=spec.inputs_max)
        self.count = count
        self.period = leaf_period(spec.inputs_max)
        self.latency = max(self.period - 1, 1) + 2
        super().__init__(spec)

    def build(self, m: Module) -> None:  # noqa: D102
        control = OrizuruControl(self.spec.outliers_max, self.latency - 2, self.period)
        leaf = OrizuruLeaf(self.spec.inputs_max, self.spec.values_per_beat)
        m.submodules.control = control
        self.put(m, "leaf", leaf)

        fire, part = Signal(), Signal(len(leaf.load), init=1)
        m.d.comb += [
            fire.eq(self.i.valid & self.i.ready),
            leaf.load.eq(part & fire.replicate(len(part))),
            leaf.beat.eq(compare_pairs(m, self.i.payload.keys, self.i.payload.mask)),
            leaf.take.eq(control.take),
            leaf.last.eq(control.last),
        ]
        with m.If(fire):
            m.d.sync += part.eq(Mux(self.i.payload.last, 1, part << 1))
        connect_streams(m, self, control, fire, (leaf.largest, leaf.smallest))
        if self.count:
            levels = leaf.position_bits
            replayed = [take & ~last for take, last in zip(control.take, control.last, strict=True)]
            decided = sum(replayed) * (levels - 1)
            built = Mux(control.complete, tree_comparisons(self.spec.inputs_max, 0), 0)
            m.d.sync += self.comparisons.eq(self.comparisons + built + decided)
