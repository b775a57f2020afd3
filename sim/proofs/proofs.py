"""The proofs: what is proven, of which size, and how far.

The streams of every kind of component that has a bench are proven at its first point, but for
``LIMITS``; any other point can be named. A new outlier engine is a line in the table below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from gateware.outlier_engines import make_stream
from gateware.point import Point
from gateware.points import POINTS
from golden.base.names import lookup
from hw.bus.axi import AxiSpec
from hw.bus.axi_reader import AxiReader
from hw.bus.axi_writer import AxiWriter
from hw.chip.chip import registers
from hw.topk.baseline.bitonic_top_k import BitonicTopK
from hw.topk.baseline.quick_select import QuickSelect
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.orizuru_stream import OrizuruStream
from hw.topk.orizuru.orizuru_tree import OrizuruTree
from hw.topk.orizuru.orizuru_unit import OrizuruUnit
from sim.proofs.axi import AxiRules
from sim.proofs.buffer import BufferRules
from sim.proofs.limits import LIMITS
from sim.proofs.outliers import OutlierRules
from sim.proofs.registers import RegisterRules
from sim.proofs.streams import StreamRules

KEY_BITS = 2
STREAM_DEPTH = 30
# What gives nothing within so few cycles, and is small enough to be searched further.
DEEP = {"index_squares_k64": 64, "index_mean_square_l4": 64}
WHOLE = (OrizuruUnit, OrizuruTree, OrizuruStream, BitonicTopK, QuickSelect)  # proven in all they do
STREAM_LISTS = partial(OrizuruStream, lists=2, sections=2, queue=4)
STREAM_HEAP = partial(OrizuruStream, sections=2, queue=4, reverse=True, heap=True)


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Rules about a component, and how far they are to be proven.

    Parameters
    ----------
    name : str
        Its name on the command line.
    about : str
        What is proven of what, in one line.
    make : callable
        Returns a fresh component that has ``properties`` when it is elaborated.
    depth : int
        Cycles in which every goal can be reached: those of every run are searched first, and are
        all that is searched if ``unbounded`` is false.
    unbounded : bool
        Whether the rules are proven for runs of any length.
    quick : bool
        Whether it takes seconds, so that every run of the tests can do it.
    """

    name: str
    about: str
    make: Callable[[], Any]
    depth: int
    unbounded: bool = True
    quick: bool = False


def _outliers(
    name: str,
    engine: Callable[[OrizuruSpec], Any],
    sizes: tuple[int, int, int],
    *,
    patience: int | None,
    depth: int,
    **options: bool,
) -> Proof:
    """Return the proof of an outlier engine: longest token, longest k_top, values per beat."""
    inputs, outliers, lanes = sizes
    spec = OrizuruSpec(inputs_max=inputs, outliers_max=outliers, values_per_beat=lanes)
    return Proof(
        name=f"{name}_n{inputs}_k{outliers}_p{lanes}",
        about=f"finds {outliers} of {inputs} on each side, {lanes} a beat",
        make=lambda: OutlierRules(engine(spec), key_bits=KEY_BITS, patience=patience),
        depth=depth,
        **options,
    )


def _bus(kind: Callable[[AxiSpec], Any], patience: int | None = None) -> AxiRules:
    """Return the rules of a reader or writer of small bursts."""
    spec = AxiSpec(address_bits=13, data_bits=32, burst_max=4, outstanding=2)
    return AxiRules(kind(spec), patience)


_TABLE = (
    _outliers("orizuru_unit", OrizuruUnit, (4, 2, 4), patience=8, depth=10, quick=True),
    _outliers("orizuru_unit", OrizuruUnit, (8, 2, 4), patience=8, depth=12),
    _outliers("orizuru_tree", OrizuruTree, (3, 2, 4), patience=8, depth=10, quick=True),
    _outliers("orizuru_tree", OrizuruTree, (6, 2, 4), patience=8, depth=12),
    _outliers("orizuru_tree", OrizuruTree, (18, 1, 32), patience=10, depth=17),  # two levels
    _outliers("orizuru_tree", OrizuruTree, (17, 2, 32), patience=10, depth=17, unbounded=False),
    _outliers("orizuru_stream", make_stream, (3, 2, 4), patience=8, depth=11, quick=True),
    _outliers("orizuru_stream", make_stream, (4, 2, 2), patience=8, depth=11),
    _outliers("orizuru_stream", make_stream, (6, 2, 4), patience=10, depth=11),
    _outliers("orizuru_stream_lists", STREAM_LISTS, (4, 2, 4), patience=10, depth=13),
    _outliers("orizuru_stream_heap", STREAM_HEAP, (3, 2, 2), patience=14, depth=15),
    _outliers("bitonic_top_k", BitonicTopK, (3, 2, 4), patience=12, depth=22, quick=True),
    _outliers("bitonic_top_k", BitonicTopK, (4, 2, 2), patience=12, depth=18),
    _outliers("quick_select", QuickSelect, (2, 2, 2), patience=None, depth=51),
    Proof(
        name="token_buffer_w2_l2_d3",
        about="reads what was written, token by token",
        make=lambda: BufferRules(2, 2, 3),
        depth=10,
        quick=True,
    ),
    *(
        Proof(
            name=f"{name}_bus",
            about="asks memory for what is wanted, as AXI4 allows",
            make=partial(_bus, kind),
            depth=14,
            quick=quick,
        )
        for name, kind, quick in (("axi_reader", AxiReader, True), ("axi_writer", AxiWriter, False))
    ),
    *(
        Proof(
            name=f"{name}_moves",
            about="goes on if all that it waits for comes within three cycles",
            make=partial(_bus, kind, 3),
            depth=14,
        )
        for name, kind in (("axi_reader", AxiReader), ("axi_writer", AxiWriter))
    ),
    Proof(
        name="register_bank_bus",
        about="answers in time, and reads are what was written",
        make=lambda: RegisterRules(registers()),
        depth=8,
        quick=True,
    ),
)


TABLE = {one.name: one for one in _TABLE}


QUICK = (
    "credit_queue",
    "entry_merge",
    "outlier_join",
    "queue",
    "reciprocal",
    "stage",
    "token_framer_k4",
    "walk",
    "weight_requester",
)


def stream_proof(one: Point) -> Proof:
    """Return the proof that the streams of a point hold while they wait."""
    return Proof(
        name=one.name,
        about="its streams hold while they wait",
        make=lambda: StreamRules(one.make(), one.steady),
        depth=DEEP.get(one.name, STREAM_DEPTH),
        quick=one.name in QUICK,
    )


@cache
def first_points() -> dict[type, Point]:
    """Return the first point with a bench of each kind of component that has output streams."""
    found: dict[Any, Point] = {}
    for one in POINTS.values():
        if one.bench is not None and one.kind not in found:
            found[one.kind] = one
    return {type(one.make()): one for one in found.values() if one.sends}


def proofs() -> dict[str, Proof]:
    """Return the table's proofs, and those of the streams of each kind without a limit."""
    streams = [
        stream_proof(one)
        for kind, one in first_points().items()
        if kind not in WHOLE and kind.__name__ not in LIMITS
    ]
    return TABLE | {one.name: one for one in streams}


def proof(name: str) -> Proof:
    """Return the proof called ``name``: one of the table, or that of the streams of a point.

    Raises
    ------
    InputError
        When there is none; the text has the names that come near.
    """
    if name in TABLE:
        return TABLE[name]
    if name in POINTS and POINTS[name].sends:
        return stream_proof(POINTS[name])
    return lookup("proof", name, proofs(), "kllm prove --list")
