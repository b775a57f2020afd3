"""A proof from its name to its result."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.base.files import build_folder, make_folder
from sim.proofs.check import Decision, Verdict, decide
from sim.proofs.model import write_model
from sim.proofs.proofs import Proof
from sim.proofs.trace import Trace, replay

WAVES = build_folder("formal")


@dataclass(frozen=True)
class Result:
    """What became of a proof; ``trace`` is the run that refutes it."""

    proof: Proof
    depth: int
    rules: tuple[str, ...]
    decision: Decision
    trace: Trace | None

    @property
    def holds(self) -> bool:
        """Whether it is proven as far as it was to be."""
        return self.decision.verdict in (Verdict.PROVEN, Verdict.BOUNDED)

    @property
    def sentence(self) -> str:
        """What was found, in a few words."""
        verdict, goals = self.decision.verdict, self.decision.goals
        if verdict == Verdict.PROVEN:
            return "proven for runs of any length"
        if verdict == Verdict.BOUNDED:
            return f"proven for runs of {self.depth} cycles"
        if verdict == Verdict.EMPTY:
            missing = ", ".join(name for name, cycle in goals.items() if cycle is None)
            return f"empty: not reached in {self.depth} cycles: {missing}"
        if self.trace:
            return f"refuted in cycle {len(self.trace.rows) - 1}: {', '.join(self.trace.broken)}"
        return "undecided: the time was over; allow more"


def run_proof(proof: Proof, *, seconds: int, depth: int | None = None) -> Result:
    """Decide a proof; what refutes it is repeated in Amaranth's simulator.

    Parameters
    ----------
    proof : Proof
        One of :func:`sim.proofs.proofs.proofs`, or another.
    seconds : int
        Limit for each of its searches.
    depth : int, optional
        Search the runs of that many cycles only.

    Raises
    ------
    golden.base.errors.ToolError
        When a tool fails, or when tools contradict each other.
    """
    cycles = proof.depth if depth is None else depth
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        model = write_model(proof.make(), Path(scratch))
        unbounded = proof.unbounded and depth is None
        decision = decide(model, depth=cycles, unbounded=unbounded, seconds=seconds)
    trace = None
    if decision.verdict == Verdict.REFUTED:
        make_folder(WAVES)
        trace = replay(proof.make(), decision.inputs, WAVES / f"{proof.name}.vcd")
    return Result(proof, cycles, model.rules, decision, trace)


def figures(result: Result) -> dict[str, Any]:
    """Return everything that was found, ready for JSON."""
    decision, trace = result.decision, result.trace
    return {
        "name": result.proof.name,
        "about": result.proof.about,
        "verdict": decision.verdict.value,
        "holds": result.holds,
        "cycles": None if decision.verdict == Verdict.PROVEN else result.depth,
        "rules": list(result.rules),
        "goals": decision.goals,
        "seconds": round(decision.seconds, 1),
        "broken": list(trace.broken) if trace else [],
        "trace": [dict(zip(trace.columns, row, strict=True)) for row in trace.rows]
        if trace
        else [],
    }
