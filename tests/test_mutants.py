"""Benches that notice: one operator of a block's Verilog is changed, and its bench must fail."""

from pathlib import Path

import pytest

from gateware.emit import verilog
from gateware.points import point
from sim.kit.launch import BenchError, run_bench


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("clustering_unit_symmetric", "measure[48] & ", "measure[48] | "),  # on a midpoint
        ("clustering_unit_symmetric", "reaches_7_0 & ", "reaches_7_0 | "),  # two parts at once
        ("level_unit", " >= ", " > "),  # where a level begins
        ("sorted_list", " > ", " >= "),  # the later of equal keys goes ahead
        ("lookup_tree_symmetric", " ^ ", " | "),  # a sign is lost
        ("lookup_lane_plain", "= $signed(", "= -$signed("),  # a sum is negated
        ("beat_sequencer", " >= ", " > "),  # one beat too many
        ("token_framer_k4", " >= ", " > "),  # one beat too many
        ("weight_requester", " | ", " & "),  # goes on only when ready in advance
        ("absolute_sum_k4", " | ", " & "),  # valid waits for ready
        ("row_select_plain", " & ", " | "),  # lanes that do not count
        ("bin_merge", " ? ", " ? ~"),  # what is kept of a channel
        ("tile_sequencer", " >= ", " > "),  # one tile too many
        ("compensation_array", " | ", " & "),  # goes on only when ready in advance
    ],
)
def test_bench_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str
) -> None:
    monkeypatch.setattr("sim.kit.launch.BUILD", tmp_path)
    lines = verilog(point(name).make(), name).splitlines()
    places = [n for n, line in enumerate(lines) if line.startswith("  assign") and old in line]
    assert places, f"no {old!r} in {name}"
    lines[places[0]] = lines[places[0]].replace(old, new, 1)
    print(lines[places[0]])
    with pytest.raises(BenchError, match=rf"^{name} on icarus"):
        run_bench(name, source="\n".join([*lines, ""]), simulator="icarus")
