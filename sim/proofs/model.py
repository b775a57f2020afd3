"""A proof's component as and-inverter graphs: one of its rules, one of its goals."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateware.emit import rtlil
from gateware.yosys import run_yosys
from golden.base.errors import ToolError

YOSYS_SECONDS = 300
RULES, GOALS = "rules", "goals"
# Amaranth gives a property's name as its message; as the cell's name it gets through Yosys.
CHECK = re.compile(r'cell \$check \S+\n(    parameter \\FORMAT "(\w+)")')
# A goal is reached when its opposite is refuted.
OPPOSITE = """(* techmap_celltype = "$cover" *)
module opposite(input A, input EN);
    \\$assert _TECHMAP_REPLACE_ (.A(~A), .EN(EN));
endmodule
"""
READ = (
    "read_rtlil design.il",
    "prep -flatten -top proof",
    "memory_map",
    "async2sync",
    "chformal -lower",
    "delete -output",
    "delete t:$print",
    "opt_clean",
    "design -save proof",
)
SPLIT = {
    RULES: ("chformal -cover -remove",),
    GOALS: ("chformal -assert -remove", "techmap -map opposite.v"),
}


@dataclass(frozen=True)
class Model:
    """The graphs of a proof, ``rules.aig`` and ``goals.aig`` in ``folder``.

    Parameters
    ----------
    folder : Path
        Where they are.
    rules : tuple of str
        Names of the rules, in the order of the first one's outputs.
    goals : tuple of str
        Names of the goals, in the order of the other's.
    inputs : tuple of tuple
        Port and bit of each input, for both.
    """

    folder: Path
    rules: tuple[str, ...]
    goals: tuple[str, ...]
    inputs: tuple[tuple[str, int], ...]


def write_model(component: Any, folder: Path) -> Model:
    """Write the graphs of a component that has ``properties`` when it is elaborated.

    Raises
    ------
    golden.base.errors.ToolError
        When Yosys fails, or when a property is lost on the way: without it a proof is worthless.
    """
    text = CHECK.sub(r"cell $check \\check-\2\n\1", rtlil(component, "proof"))
    (folder / "design.il").write_text(text, encoding="utf-8")
    (folder / "opposite.v").write_text(OPPOSITE, encoding="utf-8")
    commands = list(READ)
    for graph, split in SPLIT.items():
        commands += ["design -load proof", *split, "opt -full", "techmap", "opt -fast"]
        commands += ["setundef -anyseq", "dffunmap", "simplemap", "aigmap", "opt_clean"]
        commands += [f"write_aiger -zinit -no-startoffset -ywmap {graph}.json {graph}.aig"]
    run_yosys(folder, commands, task="writing the model of a proof", timeout=YOSYS_SECONDS)

    maps = {name: json.loads((folder / f"{name}.json").read_text()) for name in SPLIT}
    names = {name: [_plain(path) for path in found["asserts"]] for name, found in maps.items()}
    assumed = [[_plain(path) for path in found["assumes"]] for found in maps.values()]
    meant = component.properties
    for found, wanted in (
        (names[RULES], meant.rules),
        (names[GOALS], meant.goals),
        *((found, meant.assumptions) for found in assumed),
    ):
        if sorted(found) != sorted(wanted):
            lost = sorted(set(found) ^ set(wanted))
            raise ToolError(f"Yosys lost properties of a proof: {', '.join(lost)}")
    inputs = [(_plain(port["path"]), port["offset"]) for port in maps[RULES]["inputs"]]
    return Model(folder, tuple(names[RULES]), tuple(names[GOALS]), tuple(inputs))


def _plain(path: list[str]) -> str:
    return path[-1].removeprefix("\\").removeprefix("check-")
