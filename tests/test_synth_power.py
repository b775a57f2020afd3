"""Energy: by hand on a few cells, and of a whole engine on real tokens."""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.points import point
from golden.base.errors import InputError, ToolError
from kllm.commands.power import measure_energy
from synth.libraries.liberty import Library, read
from synth.power.activity import Activity, read_activity
from synth.power.energy import Energies
from synth.power.power import block_of, energy

# Tables of one value: 0.2 pJ a change within the inverter, 0.05 pJ at the clock pin, and so on.
LIBRARY = """
library (hand) {
  time_unit : "1ns"; capacitive_load_unit (1, pf); leakage_power_unit : "1nW"; nom_voltage : 2;
  lu_table_template (one) { variable_1 : total_output_net_capacitance; index_1 ("1"); }
  cell (INV) {
    area : 2; cell_leakage_power : 1000;
    pin (A) { direction : input; capacitance : 0.25; }
    pin (Y) { direction : output; function : "!A";
      timing () { cell_rise (one) { values ("0.1"); } cell_fall (one) { values ("0.1"); }
        rise_transition (one) { values ("0.1"); } fall_transition (one) { values ("0.1"); } }
      internal_power () { rise_power (one) { values ("0.3"); }
        fall_power (one) { values ("0.1"); } }
    }
  }
  cell (DFF) {
    area : 9; ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; }
    pin (C) { direction : input; clock : true; capacitance : 0.1;
      internal_power () { rise_power (one) { values ("0.05"); }
        fall_power (one) { values ("0.05"); } }
    }
    pin (D) { direction : input; capacitance : 0.5; }
    pin (Q) { direction : output; function : "IQ"; }
  }
}
"""
# clk 2, d 3 -> INV -> 4 -> two INV in a part -> 5, 6; 5 -> DFF -> 7.
NETLIST = {
    "netnames": {
        name: {"bits": bits}
        for name, bits in {"clk": [2], "d": [3], "n": [4, 5], "part.x": [6], "q": [7]}.items()
    },
    "cells": {
        "g0": {"type": "INV", "connections": {"A": [3], "Y": [4]}},
        "$flatten\\part.$abc$1": {"type": "INV", "connections": {"A": [4], "Y": [5]}},
        "part.g2": {"type": "INV", "connections": {"A": [4], "Y": [6]}},
        "$auto$ff$1": {"type": "DFF", "connections": {"C": [2], "D": [5], "Q": [7]}},
    },
}
VCD = """$timescale 1ns $end
$scope module gates $end
$var wire 1 ! clk $end
$var wire 1 # \\d $end
$var wire 2 % n [1:0] $end
$var wire 1 & \\part.x $end
$var reg 1 ' q $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
0!
x#
bxx %
x&
0'
$end
#5
1!
#6
1#
b10 %
#10
0!
#15
1!
0#
b1 %
1&
#20
0!
#25
1!
b11 %
1'
#30
0!
#35
1!
0'
"""


@pytest.fixture
def hand(tmp_path: Path) -> Library:
    path = tmp_path / "hand.lib"
    path.write_text(LIBRARY)
    return read([path])


def test_changes_are_counted_within_the_window(tmp_path: Path) -> None:
    path = tmp_path / "a.vcd"
    path.write_text(VCD)
    found = read_activity(path, "clk", 1, 2)
    assert found.cycles == 2
    assert found.changes == {"clk": [4], "d": [1], "n": [1, 2], "part.x": [1], "q": [1]}
    assert read_activity(path, "clk", 0, 2).changes["n"] == [1, 3]
    with pytest.raises(ToolError, match=r"ends after 2 of 7 cycles"):
        read_activity(path, "clk", 2, 8)
    with pytest.raises(ToolError, match="has no clock tick"):
        read_activity(path, "tick", 0, 1)
    with pytest.raises(ToolError, match="no activity at"):
        read_activity(tmp_path / "none.vcd", "clk", 0, 1)


def test_energy_by_hand(hand: Library) -> None:
    """V = 2: a change of 1 pF costs 2 pJ. Net 4 has two inputs of 0.25 pF, net 5 one of 0.5."""
    changes = {"d": [3], "n": [4, 6], "part.x": [1], "q": [2]}
    found = energy("x", NETLIST, Activity(10, changes), hand, clock_ps=1000.0)
    by_name = {block.block: block for block in found.blocks}
    assert set(by_name) == {"itself", "part"}
    assert by_name["itself"].charge == pytest.approx(4 * 0.5 * 2)
    assert by_name["itself"].internal == pytest.approx(4 * 0.2)
    assert by_name["itself"].clock == pytest.approx(10 * 2 * (0.05 + 0.1 * 2))
    # 1 uW over 10 ns
    assert by_name["itself"].leakage == pytest.approx(0.01)
    assert by_name["part"].charge == pytest.approx(6 * 0.5 * 2)
    assert by_name["part"].internal == pytest.approx((6 + 1) * 0.2)
    assert by_name["part"].leakage == pytest.approx(0.02)
    plain = found.as_json(tokens=2, macs=4)
    assert plain["pj_per_token"] == pytest.approx(found.total / 2)
    assert plain["pj_per_multiply_add"] == pytest.approx(found.total / 4)
    assert plain["milliwatts"] == pytest.approx(found.total / 10)  # pJ in 10 ns


def test_a_net_without_activity_is_an_error(hand: Library) -> None:
    with pytest.raises(ToolError, match="lacks 1 of 4 nets"):
        energy("x", NETLIST, Activity(1, {"n": [1, 1], "q": [1]}), hand, clock_ps=1.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("internal_power", "other_power", "hand has no internal_power tables"),
        ("nom_voltage : 2;", "", "hand has no nom_voltage"),
        ('"1nW"', '"nothing"', "hand has no leakage_power_unit such as 1nW: 'nothing'"),
        ("(1, pf)", "(1, g)", "hand has no capacitive_load_unit"),
    ],
)
def test_poor_libraries_are_one_sentence(old: str, new: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "poor.lib"
    path.write_text(LIBRARY.replace(old, new))
    changes = {"n": [1, 1], "part.x": [1], "q": [1]}
    with pytest.raises(InputError, match=said):
        energy("x", NETLIST, Activity(1, changes), read([path]), clock_ps=1.0)


def test_leakage_may_be_given_by_state(tmp_path: Path) -> None:
    path = tmp_path / "states.lib"
    states = "".join(
        f'leakage_power () {{ value : {value}; related_pg_pin : "{pin}"; }}'
        for value, pin in ((2000, "VDD"), (1000, "VDD"), (0, "VSS"))
    )
    path.write_text(LIBRARY.replace("cell_leakage_power : 1000;", states))
    assert Energies(read([path])).leakage_watts("INV") == pytest.approx(1.5e-6)
    assert Energies(read([path])).leakage_watts("DFF") == 0


def test_installed_library_has_energies(library: Library) -> None:
    costs = Energies(library)
    assert costs.volts == 1.8
    assert costs.pin_farads("INVX1", "A") == pytest.approx(9.3e-15, rel=0.02)
    light, heavy = (costs.internal_pj("NAND2X1", "Y", farads) for farads in (1e-14, 3e-13))
    assert 0.005 < light < heavy < 0.2


@pytest.mark.parametrize(
    ("cell", "block"),
    [
        ("$flatten\\array.\\lane0.$abc$7$0", "array"),
        ("array.lane0.g", "array"),
        ("$abc$643$blif$643$0", "itself"),
        ("$auto$ff.cc:337:slice$343", "itself"),
    ],
)
def test_parts_of_cells(cell: str, block: str) -> None:
    assert block_of(cell) == block


@pytest.mark.slow
def test_command(library: Library, needs: Callable[[str], None], tmp_path: Path) -> None:
    """A whole engine: what its gates give is the golden model's, or this fails."""
    needs("icarus")
    path = tmp_path / "power.json"
    arguments = ["power", "tiny_symmetric", "--tokens", "2", "--clock-ps", "4000"]
    arguments += ["--json", str(path)]
    result = CliRunner().invoke(kllm.app.build_app(), arguments)
    assert result.exit_code == 0, result.output
    plain = json.loads(path.read_text())
    assert {"array", "ingest", "output", "quantizer"} <= {b["block"] for b in plain["blocks"]}
    assert plain["multiply_adds"] == 64 * 64
    assert plain["cycles"] > 64 * 64 / 16  # 16 products a cycle
    assert 20 < plain["pj_per_multiply_add"] < 200
    assert plain["total_pj"] == pytest.approx(sum(block["total"] for block in plain["blocks"]))
    assert "Without wires" in result.output


def test_no_other_run_comes_before_the_activity_is_read(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Runs of one design share a folder, and the next one writes its own activity there."""
    monkeypatch.setattr("sim.run.gate_run.BUILD", tmp_path)
    held = []

    def look(*_: object) -> None:
        with (tmp_path / "tiny-icarus.lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(True)

    nothing = SimpleNamespace(verilog="", netlist={}, folder=tmp_path, first=0, last=1)
    for name in ("sim.run.gate_run.run_gates", "synth.power.power.flat_gates"):
        monkeypatch.setattr(name, lambda *_: nothing)
    monkeypatch.setattr("synth.power.power.energy", lambda *_, **__: None)
    monkeypatch.setattr("synth.power.activity.read_activity", look)
    measure_energy(point("tiny"), library, "any", 2, 1000.0, lambda *_: None)
    assert held == [True]
