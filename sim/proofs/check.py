"""The decisions of a proof, made by ABC on its graphs."""

import re
import time
from dataclasses import dataclass
from enum import Enum

from gateware.yosys import run_abc
from golden.base.errors import ToolError
from golden.base.process import OutOfTimeError
from sim.proofs.model import GOALS, RULES, Model

REFUTED = re.compile(r"^Output \d+ .*was asserted in frame", re.M)
INVARIANT = re.compile(r"^Verification of invariant .* was successful", re.M)
# What has been proven while the graph was made or made smaller leaves no registers: no work for
# searches, but for `sat`.
EMPTY_GRAPH = re.compile(r"^UNSATISFIABLE", re.M)
REACHED = re.compile(
    r"^(?:Output 0 .*was asserted in frame +(\d+)|No output asserted|Error: Does not work for)",
    re.M,
)
GRACE = 30  # seconds that ABC may go on beyond its own limit


class Verdict(Enum):
    """What became of the rules."""

    PROVEN = "proven"  # in every cycle of every run
    BOUNDED = "bounded"  # in the first cycles of every run
    REFUTED = "refuted"  # not in this one
    UNDECIDED = "undecided"  # the time was over
    EMPTY = "empty"  # they hold, but not every goal can be reached


@dataclass(frozen=True)
class Decision:
    """What ABC found.

    Parameters
    ----------
    verdict : Verdict
        What became of the rules.
    goals : dict
        The cycle in which each goal is first reached, None for those that are not.
    inputs : tuple of dict
        The value of each input in each cycle of the run that refutes a rule; empty without one.
    seconds : float
        How long it took.
    """

    verdict: Verdict
    goals: dict[str, int | None]
    inputs: tuple[dict[str, int], ...]
    seconds: float


def decide(model: Model, *, depth: int, unbounded: bool, seconds: int) -> Decision:
    """Decide whether the rules hold and the goals can be reached.

    Parameters
    ----------
    model : Model
        The graphs.
    depth : int
        Cycles of every run that are searched first; the goals must be reached in them, too.
    unbounded : bool
        Whether then the rules are to be proven for runs of any length.
    seconds : int
        Limit for each of the searches.
    """
    start = time.monotonic()
    verdict, inputs = _search(model, depth, seconds)
    goals = _reach(model, depth, seconds)
    if verdict == Verdict.BOUNDED and None in goals.values():
        verdict = Verdict.EMPTY
    if verdict == Verdict.BOUNDED and unbounded:
        verdict, inputs = _prove(model, seconds)
    return Decision(verdict, goals, inputs, time.monotonic() - start)


def _search(model: Model, depth: int, seconds: int) -> tuple[Verdict, tuple]:
    """Look through the first cycles of every run for one that breaks a rule."""
    commands = ["orpos", "sat", f"bmc3 -c -F {depth} -T {seconds}", "write_cex -a run"]
    log = _abc(model, RULES, commands, seconds)
    if REFUTED.search(log):
        return Verdict.REFUTED, _read_run(model)
    searched = f"No output asserted in {depth} frames. Resource limit reached (conf limit 0)"
    holds = searched in log or EMPTY_GRAPH.search(log)
    return (Verdict.BOUNDED if holds else Verdict.UNDECIDED), ()


def _prove(model: Model, seconds: int) -> tuple[Verdict, tuple]:
    """Prove the rules by property-directed reachability.

    ABC must say that it checked the invariant: with the time over, its ``pdr -s`` calls every
    property proved.
    """
    reduced = ["dc2", "scorr", "dc2", "orpos"]
    commands = [*reduced, "sat", f"pdr -s -v -T {seconds}", "write_cex -a run"]
    log = _abc(model, RULES, commands, seconds)
    if REFUTED.search(log):
        return Verdict.REFUTED, _read_run(model)
    if EMPTY_GRAPH.search(log) or (INVARIANT.search(log) and "failed" not in log):
        return Verdict.PROVEN, ()
    return Verdict.UNDECIDED, ()


def _reach(model: Model, depth: int, seconds: int) -> dict[str, int | None]:
    """Return the first cycle of each goal; one by one, for ABC crashes on many at once."""
    commands = ["write_aiger one.aig"]
    for number in range(len(model.goals)):
        commands += ["&read one.aig", f"&cone -O {number}", "&put"]
        commands += [f"bmc3 -c -F {depth} -T {seconds}"]
    log = _abc(model, GOALS, commands, seconds * len(model.goals))
    found = REACHED.findall(log)
    if len(found) != len(model.goals):
        raise ToolError(f"ABC decided {len(found)} of {len(model.goals)} goals of a proof")
    cycles = (int(cycle) if cycle else None for cycle in found)
    return dict(zip(model.goals, cycles, strict=True))


def _abc(model: Model, graph: str, commands: list[str], seconds: int) -> str:
    """Run commands on a graph, with its assumptions folded into its outputs."""
    read = [f"read_aiger {graph}.aig", "fold", "strash"]
    task = f"deciding the {graph} of a proof"
    try:
        return run_abc(model.folder, [*read, *commands], task=task, timeout=seconds + GRACE)
    except OutOfTimeError:
        return ""  # nothing is decided


def _read_run(model: Model) -> tuple[dict[str, int], ...]:
    """Return the inputs' values of each cycle of the run that ABC wrote."""
    run = []
    _, *cycles = re.findall(r"^[01]+$", (model.folder / "run").read_text(), re.M)
    for bits in cycles:
        values: dict[str, int] = {}
        for (port, offset), bit in zip(model.inputs, bits, strict=False):
            values[port] = values.get(port, 0) | int(bit) << offset
        run.append(values)
    return tuple(run)
