"""The proofs: what is proven, of which size, and how far.

A new outlier engine, or a block with streams, is a line in the table below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateware.outlier_engines import make_stream
from golden.base.errors import InputError
from golden.base.tensor_file import near
from hw.topk.baseline.bitonic_top_k import BitonicTopK
from hw.topk.baseline.quick_select import QuickSelect
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from hw.topk.orizuru.orizuru_stream import OrizuruStream
from hw.topk.orizuru.orizuru_tree import OrizuruTree
from hw.topk.orizuru.orizuru_unit import OrizuruUnit
from sim.proofs.buffer import BufferRules
from sim.proofs.outliers import OutlierRules
from sim.proofs.streams import StreamRules
from sim.registry import BLOCKS

KEY_BITS = 2
STREAM_DEPTH = 30
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


def _streams(name: str, *steady: str, quick: bool = False) -> Proof:
    """Return the proof of a block that has a bench; some of its inputs are steady."""
    return Proof(
        name=name,
        about="its streams hold while they wait",
        make=lambda: StreamRules(BLOCKS[name].make(), steady),
        depth=STREAM_DEPTH,
        quick=quick,
    )


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
        name="token_buffer",
        about="reads what was written, token by token",
        make=lambda: BufferRules(2, 2, 3),
        depth=10,
        quick=True,
    ),
    _streams("absolute_sum_k4"),
    _streams("credit_queue", quick=True),
    _streams("entry_merge", quick=True),
    _streams("lookup_array_symmetric", "shape"),
    _streams("midpoint_scaler_symmetric"),
    _streams("outlier_join", quick=True),
    _streams("outlier_residual_symmetric"),
    _streams("output_scaler"),
    _streams("output_stage"),
    _streams("queue", quick=True),
    _streams("reciprocal", quick=True),
    _streams("stage", quick=True),
    _streams("token_framer_k4", "inputs", quick=True),
    _streams("token_ingest_k4", "shape"),
    _streams("token_quantizer_symmetric", "shape"),
    _streams("token_scale"),
    _streams("walk", "counts", "available", quick=True),
    _streams("weight_requester", "shape", quick=True),
)
PROOFS = {proof.name: proof for proof in _TABLE}


def proof(name: str) -> Proof:
    """Return the proof called ``name``.

    Raises
    ------
    InputError
        When there is none; the text has the names that come near.
    """
    if name in PROOFS:
        return PROOFS[name]
    raise InputError(f"no proof {name!r}{near(name, PROOFS)}")
