"""Proofs: the quick ones hold, bugs of many kinds are found, and a proof of nothing is told."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from typer.testing import CliRunner

import kllm.app
import sim.proofs.check
import sim.proofs.model
import sim.proofs.run
from golden.base.errors import InputError, ToolError
from golden.exact.fp16 import MAX_FINITE
from hw.formats import KEY
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from sim.proofs.check import Verdict
from sim.proofs.outliers import OutlierRules
from sim.proofs.proofs import QUICK, TABLE, Proof, proof, proofs
from sim.proofs.run import Result, run_proof
from sim.proofs.streams import StreamRules

SPEC = OrizuruSpec(inputs_max=4, outliers_max=2, values_per_beat=4)
SECONDS = 120


@pytest.fixture(autouse=True)
def waves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.proofs.run, "WAVES", tmp_path)


class PlainEngine(wiring.Component):
    """An outlier engine so plain that it can be read: it looks at all that is left each time.

    ``bug`` names what is wrong with it; "" is nothing.
    """

    k_top: Signal
    i: stream.Interface
    largest_o: stream.Interface
    smallest_o: stream.Interface

    def __init__(self, bug: str = "") -> None:
        self.spec, self.bug = SPEC, bug
        ports = {
            "k_top": In(range(SPEC.outliers_max + 1)),
            "i": In(stream.Signature(SPEC.beat)),
            "largest_o": Out(stream.Signature(SPEC.entry)),
            "smallest_o": Out(stream.Signature(SPEC.entry)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        beat = self.i.payload
        keys = Signal.like(beat.keys)
        sides = [self.largest_o, self.smallest_o]
        left, number = [Signal(SPEC.inputs_max) for _ in sides], [Signal(2) for _ in sides]
        if self.bug == "reset leaves the count":
            number = [Signal(2, reset_less=True) for _ in sides]
        for n, o in enumerate(sides):
            self._send(m, n, o, keys, left[n], number[n], sides[1 - n])
        busy = Cat(number).any() | sides[0].valid | sides[1].valid
        m.d.comb += self.i.ready.eq(~busy)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += keys.eq(beat.keys)
            wanted = {"one too many": 1, "one too few": -1}.get(self.bug, 0)
            for n in range(2):
                m.d.sync += left[n].eq(-1 if self.bug == "lanes that do not count" else beat.mask)
                m.d.sync += number[n].eq(Mux(self.k_top == 0, 0, self.k_top + wanted))
        return m

    def _send(self, m: Module, n: int, o, keys, left, number, other) -> None:
        bug = self.bug
        some, best, position = left[0], keys[0], Const(0)
        if bug == "the least key counts as none":
            some, best = Const(1), Const((-MAX_FINITE, MAX_FINITE)[n], KEY)
        for place in range(SPEC.inputs_max):
            ahead = keys[place] > best if n == 0 else keys[place] < best
            if bug == "the later of equals":
                ahead |= keys[place] == best
            chosen = Signal()
            m.d.comb += chosen.eq(left[place] & (~some | ahead))
            best, position = Mux(chosen, keys[place], best), Mux(chosen, place, position)
            some |= left[place]

        found, room = number != 0, ~o.valid | o.ready
        leaves, loads = found & room, found & room
        if bug == "lost while both sides wait":
            leaves |= found & other.valid & ~other.ready
        if bug == "changes while it waits":
            loads = found
        with m.If(leaves):
            m.d.sync += number.eq(number - 1)
            if bug != "comes again":
                m.d.sync += left.eq(left & ~(1 << position))
        with m.If(loads):
            m.d.sync += [o.valid.eq(1), o.payload.key.eq(best), o.payload.position.eq(position)]
        with m.Elif(o.ready):
            m.d.sync += o.valid.eq(0)


BUGS = {  # and the rules one of which finds it first
    "the later of equals": "ties_by_position",
    "lost while both sides wait": "comes_in_time|three_tokens|comes_once|has_its_key",
    "changes while it waits": "holds_still",
    "comes again": "comes_once",
    "one too many": "is_due",
    "one too few": "comes_in_time|three_tokens",
    "lanes that do not count": "was_there",
    "the least key counts as none": "ties_by_position|is_furthest|comes_once|was_there",
    "reset leaves the count": "is_due|comes_in_time|beat_is_taken",
}


def proof_of(make: Callable, *, depth: int = 14, unbounded: bool = False) -> Proof:
    return Proof(
        name="try", about="a try", make=make, depth=depth, unbounded=unbounded, quick=False
    )


def engine_proof(bug: str, **options) -> Proof:
    return proof_of(lambda: OutlierRules(PlainEngine(bug), key_bits=2, patience=6), **options)


def goals_of(result: Result) -> set:
    return set(result.decision.goals.values())


@pytest.mark.parametrize("name", [*QUICK, *(name for name, one in TABLE.items() if one.quick)])
def test_quick_proof(name: str) -> None:
    result = run_proof(proof(name), seconds=SECONDS)
    assert result.decision.verdict == Verdict.PROVEN, result.sentence
    assert goals_of(result)
    assert None not in goals_of(result)


def test_an_engine_without_a_bug_is_proven() -> None:
    result = run_proof(engine_proof("", unbounded=True), seconds=SECONDS)
    assert result.decision.verdict == Verdict.PROVEN, result.sentence


@pytest.mark.parametrize("bug", BUGS)
def test_bug_is_found(bug: str) -> None:
    result = run_proof(engine_proof(bug), seconds=SECONDS)
    assert result.decision.verdict == Verdict.REFUTED
    assert result.trace
    assert re.search(BUGS[bug], " ".join(result.trace.broken)), result.trace
    assert result.trace.waves.is_file()
    assert not result.holds


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("orizuru_stream_n3_k2_p4", "cell $gt ", "cell $ge "),  # of equals, the later goes first
        ("orizuru_stream_n3_k2_p4", "cell $le ", "cell $lt "),  # a place of the list is not used
        ("orizuru_unit_n4_k2_p4", "cell $gt ", "cell $ge "),
        ("orizuru_tree_n3_k2_p4", "cell $gt ", "cell $ge "),
        ("bitonic_top_k_n3_k2_p4", "cell $gt ", "cell $lt "),  # sorts the wrong way
        ("token_buffer_w2_l2_d3", "cell $add ", "cell $or "),  # stays with the same half
        ("axi_reader_moves", "cell $ne ", "cell $eq "),  # there is never room for a burst
        ("register_bank_bus", "cell $and ", "cell $or "),  # takes bytes without their strobes
    ],
)
def test_bug_in_a_design_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, old: str, new: str
) -> None:
    """Not in the simulator: Yosys alone sees the changed design."""

    def changed(component: wiring.Component, top: str) -> str:
        modules = re.split(r"^(?=module )", right(component, top), flags=re.M)
        parts = [text for text in modules if not text.startswith(f"module \\{top}\n")]
        assert any(old in text for text in parts)
        return "".join(text.replace(old, new) if text in parts else text for text in modules)

    right = sim.proofs.model.rtlil
    monkeypatch.setattr(sim.proofs.model, "rtlil", changed)
    one = proof(name)
    model = sim.proofs.model.write_model(one.make(), tmp_path)
    found = sim.proofs.check.decide(model, depth=one.depth, unbounded=False, seconds=SECONDS)
    assert found.verdict == Verdict.REFUTED


class Silent(wiring.Component):
    """Takes all and says nothing."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(2)), "o": Out(stream.Signature(2))})

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        m.d.comb += self.i.ready.eq(1)
        m.d.sync += self.o.payload.eq(self.i.payload)
        return m


def test_rules_that_nothing_can_break_are_told() -> None:
    result = run_proof(proof_of(lambda: StreamRules(Silent()), unbounded=True), seconds=SECONDS)
    assert result.decision.verdict == Verdict.EMPTY
    assert "o_waits_and_passes" in result.sentence
    assert not result.holds


@pytest.mark.parametrize("kind", ["assert", "assume", "cover"])
def test_a_property_that_gets_lost_is_told(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    read = [*sim.proofs.model.READ[:-1], f"chformal -{kind} -remove", "design -save proof"]
    monkeypatch.setattr(sim.proofs.model, "READ", read)
    with pytest.raises(ToolError, match=r"lost.*(holds_still|waits_and_passes)"):
        run_proof(proof_of(proof("entry_merge").make), seconds=SECONDS)


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        ("Property proved.  Time = 9 sec", Verdict.UNDECIDED),
        ("Verification of clause 7 failed.\nProperty proved.", Verdict.UNDECIDED),
        ("Property UNDECIDED.", Verdict.UNDECIDED),
        ("Verification of invariant with 3 clauses was successful.", Verdict.PROVEN),
    ],
)
def test_only_an_invariant_that_was_checked_is_a_proof(
    monkeypatch: pytest.MonkeyPatch, log: str, verdict: Verdict
) -> None:
    """Out of time, ``pdr -s`` says that the property is proved."""
    model = sim.proofs.model.Model(Path(), (), (), ())
    monkeypatch.setattr(sim.proofs.check, "run_abc", lambda *_, **__: log)
    assert sim.proofs.check._prove(model, 1)[0] == verdict


def test_no_time_is_no_proof() -> None:
    result = run_proof(TABLE["orizuru_stream_n6_k2_p4"], seconds=1, depth=200)
    assert result.decision.verdict == Verdict.UNDECIDED
    assert "time" in result.sentence


def invoke(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["prove", *arguments], env={"COLUMNS": "160"})


def test_command_proves(tmp_path: Path) -> None:
    result = invoke("entry_merge", "outlier_join", "--depth=5", f"--json={tmp_path / 'p.json'}")
    assert result.exit_code == 0, result.exception
    assert "proven for runs of 5 cycles" in result.output
    found = json.loads((tmp_path / "p.json").read_text())
    assert [one["name"] for one in found] == ["entry_merge", "outlier_join"]
    assert all(one["holds"] and one["cycles"] == 5 and one["rules"] for one in found)


def test_command_prints_what_refutes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(TABLE, "entry_merge", engine_proof("the later of equals"))
    result = invoke("entry_merge", f"--json={tmp_path / 'p.json'}")
    assert isinstance(result.exception, ToolError)
    assert "ties_by_position" in result.output
    assert "position" in result.output.split("largest_o")[-1]
    (found,) = json.loads((tmp_path / "p.json").read_text())
    assert not found["holds"]
    assert found["trace"][0]["rst"] in "01"


def test_command_lists() -> None:
    output = invoke("--list").output
    assert all(name in output for name in proofs())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["entry_marge"], "near are entry_merge"),
        (["entry_merge", "--depth=0"], "--depth must be from 1"),
        (["entry_merge", "--seconds=0"], "--seconds must be from 1"),
    ],
)
def test_bad_options_are_refused(options: list[str], said: str) -> None:
    result = invoke(*options)
    assert isinstance(result.exception, InputError), result.output
    assert said in str(result.exception)
