"""The outlier engines by name and size, and how a design of one is declared."""

from collections.abc import Callable, Iterable
from functools import partial

from amaranth.lib import wiring

from gateware.design import Design
from gateware.point import Point, listed
from golden.base.errors import InputError
from golden.base.names import lookup
from golden.exact.orizuru import hierarchy_comparisons, tree_comparisons
from hw.stream.share import looked_at
from hw.topk.baseline.bitonic_top_k import BitonicTopK
from hw.topk.baseline.quick_select import QuickSelect
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.orizuru_stream import OrizuruStream
from hw.topk.orizuru.orizuru_tree import OrizuruTree
from hw.topk.orizuru.orizuru_unit import OrizuruUnit

# One sorted list on each side serves up to so many lanes without slowing the clock.
LANES_PER_LIST = 16
# Longer lists are heaps: a third of the rate, and an area that grows with their logarithm.
LIST_ENTRIES = 48


def make_stream(spec: OrizuruSpec) -> OrizuruStream:
    """Return a streaming Orizuru with as many lists as its lanes need, and else the smallest."""
    lists = max(1, spec.values_per_beat // LANES_PER_LIST)
    sections = min(4, spec.values_per_beat)
    if spec.outliers_max > LIST_ENTRIES:
        return OrizuruStream(spec, queue=4, sections=sections, reverse=True, heap=True)
    if lists > 1:
        return OrizuruStream(spec, lists=lists, queue=4, sections=8)
    return OrizuruStream(spec, sections=sections, reverse=True)


OUTLIER_ENGINES: dict[str, tuple[str, Callable[[OrizuruSpec], wiring.Component]]] = {
    "unit": ("the paper's Orizuru unit", OrizuruUnit),
    "tree": ("the paper's tree of Orizuru units", OrizuruTree),
    "stream": ("streaming Orizuru", make_stream),
    "bitonic": ("baseline: bitonic top-k", BitonicTopK),
    "quick_select": ("baseline: quick-select", QuickSelect),
}


def make_outlier_engine(engine: str, spec: OrizuruSpec) -> wiring.Component:
    """Return an outlier engine of a size.

    Parameters
    ----------
    engine : str
        Its kind: a name in :data:`OUTLIER_ENGINES`.
    spec : OrizuruSpec
        Its size.

    Raises
    ------
    InputError
        If there is no such engine, or none of that size.
    """
    make = lookup("engine", engine, OUTLIER_ENGINES)[1]
    try:
        return make(spec)
    except ValueError as error:
        raise InputError(f"the engine {engine} cannot be of that size: {error}") from error


def outlier_design(name: str, engine: str, spec: OrizuruSpec, *, bench: str | None = None) -> Point:
    """Return an engine as a design of the catalogue."""
    return listed(
        name,
        partial(make_outlier_engine, engine, spec),
        f"{OUTLIER_ENGINES[engine][0]}, {spec.values_per_beat} values per beat,"
        f" {spec.outliers_max} outliers on each side of {spec.inputs_max}",
        bench=bench,
    )


def compared(name: str, engine: str, *, values_per_beat: int = 16, k: int = 21) -> Point:
    """Return an engine at the size at which all are compared: 0.5 % of 4096 on each side."""
    spec = OrizuruSpec(inputs_max=4096, outliers_max=k, values_per_beat=values_per_beat)
    return outlier_design(name, engine, spec)


def outlier_designs(points: Iterable[Design]) -> dict[str, Design]:
    """Return those of some designs that are outlier engines, by name."""
    return {one.name: one for one in points if one.kind is make_outlier_engine}


def comparisons(design: Design, cycles: float) -> tuple[float, bool]:
    """Return how many comparisons of two keys an engine makes for a token of N activations.

    Of the trees that is known exactly. Of others it is what their comparators can make in
    ``cycles``, an upper bound; with it comes whether it is exact.
    """
    inputs, k = design.spec.inputs_max, design.spec.outliers_max
    engine = looked_at(design.make())
    if isinstance(engine, OrizuruUnit):
        return tree_comparisons(inputs, k), True
    if isinstance(engine, OrizuruTree):
        return hierarchy_comparisons(inputs, k), True
    assert isinstance(engine, OrizuruStream | BitonicTopK | QuickSelect)
    return engine.comparators * cycles, False
