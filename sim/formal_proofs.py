"""The proofs: what is proven, of which size, and how far.

A new outlier engine is a line in :data:`OUTLIERS`, a block with streams one in
:data:`STREAMS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from golden.errors import InputError
from golden.tensor_file import near
from hw.orizuru_spec import OrizuruSpec
from hw.orizuru_stream import OrizuruStream
from sim.formal_outliers import OutlierRules
from sim.formal_streams import StreamRules
from sim.registry import BLOCKS

STREAM_DEPTH = 30


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
    unbounded: bool
    quick: bool


@dataclass(frozen=True, kw_only=True)
class Outliers:
    """The proof of an outlier engine."""

    engine: Callable[[OrizuruSpec], Any]
    sizes: tuple[int, int, int]  # longest token, longest k_top, values per beat
    key_bits: int = 2
    patience: int
    depth: int
    unbounded: bool = True
    quick: bool = False

    def proof(self, name: str) -> Proof:
        """Return it under a name."""
        inputs, outliers, lanes = self.sizes
        spec = OrizuruSpec(inputs_max=inputs, outliers_max=outliers, values_per_beat=lanes)

        def make() -> OutlierRules:
            return OutlierRules(self.engine(spec), key_bits=self.key_bits, patience=self.patience)

        about = f"{outliers} outliers a side of {inputs}, {lanes} a beat, {1 << self.key_bits} keys"
        return Proof(
            name=name,
            about=about,
            make=make,
            depth=self.depth,
            unbounded=self.unbounded,
            quick=self.quick,
        )


OUTLIERS = {
    "orizuru_stream": Outliers(
        engine=OrizuruStream, sizes=(4, 2, 4), patience=8, depth=14, quick=True
    ),
    "orizuru_stream_beats": Outliers(engine=OrizuruStream, sizes=(4, 2, 2), patience=8, depth=14),
    "orizuru_stream_lists": Outliers(
        engine=partial(OrizuruStream, lists=2), sizes=(4, 2, 4), patience=8, depth=16
    ),
}
# Blocks with a bench, and which of their inputs are steady.
STREAMS = {
    "absolute_sum_k4": (),
    "entry_merge": (),
    "lookup_array_symmetric": ("shape",),
    "midpoint_scaler_symmetric": (),
    "outlier_join": (),
    "outlier_residual_symmetric": (),
    "output_scaler": (),
    "output_stage": (),
    "reciprocal": (),
    "sorted_list": (),
    "token_framer_k4": ("inputs",),
    "token_ingest_k4": ("shape",),
    "token_quantizer_symmetric": ("shape",),
    "token_scale": (),
    "weight_requester": ("shape",),
}
SLOW = ("lookup_array_symmetric", "output_stage", "token_ingest_k4")


def _streams(name: str) -> Proof:
    def make() -> StreamRules:
        return StreamRules(BLOCKS[name].make(), STREAMS[name])

    return Proof(
        name=name,
        about="its streams hold while they wait",
        make=make,
        depth=STREAM_DEPTH,
        unbounded=True,
        quick=name not in SLOW,
    )


PROOFS = {name: one.proof(name) for name, one in OUTLIERS.items()} | {
    name: _streams(name) for name in STREAMS
}


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
