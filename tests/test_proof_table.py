"""Which components are proven: all that have streams, or the reason why not is written down."""

import pytest

from gateware.outlier_engines import OUTLIER_ENGINES
from gateware.points import POINTS
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from sim.proofs.check import Verdict
from sim.proofs.limits import LIMITS
from sim.proofs.outliers import OutlierRules
from sim.proofs.proofs import TABLE, WHOLE, proof, proofs
from sim.proofs.run import run_proof

SECONDS = 120


def test_every_outlier_engine_has_a_proof() -> None:
    proven = {type(getattr(one.make(), "engine", None)) for one in TABLE.values()}
    spec = OrizuruSpec(inputs_max=4, outliers_max=1, values_per_beat=4)
    for name, (_, make) in OUTLIER_ENGINES.items():
        assert type(make(spec)) in proven, f"{name} has no proof in sim/proofs/proofs.py"


def test_every_kind_with_streams_is_proven_or_says_why_not() -> None:
    sending = [one for one in POINTS.values() if one.bench is not None and one.sends]
    kinds = {type(one.make()) for one in sending}
    proven = {type(POINTS[name].make()) for name in proofs() if name in POINTS}
    stopped = {kind for kind in kinds if LIMITS.get(kind.__name__)}
    assert kinds == proven | stopped | set(WHOLE)
    assert not proven & stopped
    assert len(stopped) == len(LIMITS)


def test_kinds_proven_whole_are_the_outlier_engines() -> None:
    rules = [one.make() for one in TABLE.values()]
    assert {type(one.engine) for one in rules if isinstance(one, OutlierRules)} == set(WHOLE)


def test_a_name_is_one_component() -> None:
    """A proof has the name of a point only if it is about that point."""
    assert not set(TABLE) & set(POINTS)


@pytest.mark.parametrize("falls", [False, True])
def test_a_token_is_not_taken_back(monkeypatch: pytest.MonkeyPatch, falls: bool) -> None:
    """A sequencer's beat holds still because its token stays, which the proof assumes."""
    if falls:
        monkeypatch.setattr("sim.proofs.streams.LEVELS", ())
    result = run_proof(proof("beat_sequencer"), seconds=SECONDS)
    assert result.decision.verdict == (Verdict.REFUTED if falls else Verdict.PROVEN)
