"""Reading cell libraries: a small one worked by hand, and the installed one."""

import gzip
import re
from pathlib import Path

import pytest

from gateware.yosys import run_abc
from golden.base.errors import InputError, ToolError
from synth.libraries.fo4 import fo4_ps, interpolate
from synth.libraries.functions import CARRY, NAND2, NOT, SUM, full_adder, least, truth_table
from synth.libraries.liberty import read
from synth.libraries.syntax import numbers, parse, write
from synth.libraries.tools import LIBERTY_FILE

# Tables are linear: rise = 0.1 + 0.3 load + 0.5 slew, fall = 0.2 + 0.1 load + 1.0 slew, and the
# slews 0.1 + 0.5 slew (rising output) and 0.2 + 0.5 slew (falling).
INVERTER = """
  cell (INV) {
    area : 2.0;
    pin (A) { direction : input; capacitance : 0.25; }
    pin (Y) {
      direction : output; function : "!A";
      timing () {
        related_pin : "A";
        cell_rise (square) { values ("0.1, 0.6", "0.7, 1.2"); }
        cell_fall (square) { values ("0.2, 1.2", \\
                                     "0.4, 1.4"); }
        rise_transition (square) { values ("0.1, 0.6", "0.1, 0.6"); }
        fall_transition (square) { values ("0.2, 0.7", "0.2, 0.7"); }
      }
    }
  }
"""
CELLS = """
  cell (BIG_INV) { area : 3; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A'"; } }
  cell ("ND2") { area : 4.5 ;  /* not called a NAND */
    pin ("A1") { direction : "input" } pin (A2) { direction : input; }
    pin (Z) { direction : output; function : "!A1 + !A2"; } }
  cell (NR2) { area : 1; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "(!(A|B))"; } }
  cell (ND2_UNUSED) { area : 0.5; dont_use : true; pin (A) { direction : input; }
    pin (B) { direction : input; } pin (Y) { direction : output; function : "!(A B)"; } }
  cell (DFF) { area : 9; ff (IQ, IQN) { next_state : "!D"; clocked_on : "C"; }
    pin (D) { direction : input; } pin (C) { direction : input; clock : true; }
    pin (Q) { direction : output; function : "IQ"; } }
  cell (ADDF) { area : 12; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (CI) { direction : input; }
    pin (S) { direction : output; function : "(A ^ B) ^ CI"; }
    pin (CON) { direction : output; function : "!((A*B)+(A*CI)+(B*CI))"; } }
"""
HEAD = """
/* a comment with { a brace */
library (hand) { // and one more }
  time_unit : "1ns";
  capacitive_load_unit (1, pf);
  lu_table_template (square) {
    variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
    index_1 ("0, 2"); index_2 ("0, 1");
  }
"""
LIBRARY = HEAD + INVERTER + CELLS + "}\n"


def library_of(tmp_path: Path, text: str = LIBRARY):
    path = tmp_path / "hand.lib"
    path.write_text(text, encoding="utf-8")
    return read([path])


def test_cells_are_found_by_what_they_do(tmp_path: Path) -> None:
    cells = library_of(tmp_path)
    assert len(cells.cells) == 7
    assert least(cells, NAND2, "NAND2").name == "ND2"
    assert least(cells, NAND2, "NAND2").area == 4.5
    assert least(cells, NOT, "inverter").name == "INV"
    assert [cell.name for cell in cells.cells.values() if cell.sequential] == ["DFF"]
    found = full_adder(cells)
    assert found
    assert found[0].name == "ADDF"
    assert found[1] == {"sum": ("S", False), "carry": ("CON", True)}


def test_fo4_by_hand(tmp_path: Path) -> None:
    """Load 1 = 4 x 0.25; slews r = 0.1 + f/2 and f = 0.2 + r/2, so r = 4/15 and f = 1/3.

    Rise 0.1 + 0.3 + 1/6 and fall 0.2 + 0.1 + 4/15 are 17/30 both.
    """
    inverter = least(library_of(tmp_path), NOT, "inverter")
    assert fo4_ps(inverter) == pytest.approx(17 / 30 * 1000)


def test_tables_with_slews_as_rows_mean_the_same(tmp_path: Path) -> None:
    turned = HEAD.replace("variable_1 : total", "variable_9 : total")
    turned = turned.replace("variable_2", "variable_1").replace("variable_9", "variable_2")
    turned = turned.replace(
        'index_1 ("0, 2"); index_2 ("0, 1")', 'index_1 ("0, 1"); index_2 ("0, 2")'
    )
    values = {
        '"0.1, 0.6", "0.7, 1.2"': '"0.1, 0.7", "0.6, 1.2"',
        '"0.2, 1.2", \\\n                                     "0.4, 1.4"': '"0.2, 0.4", "1.2, 1.4"',
        '"0.1, 0.6", "0.1, 0.6"': '"0.1, 0.1", "0.6, 0.6"',
        '"0.2, 0.7", "0.2, 0.7"': '"0.2, 0.2", "0.7, 0.7"',
    }
    inverter = INVERTER
    for old, new in values.items():
        assert old in inverter
        inverter = inverter.replace(old, new)
    cells = library_of(tmp_path, turned + inverter + "}")
    assert fo4_ps(least(cells, NOT, "inverter")) == pytest.approx(17 / 30 * 1000)


def test_time_unit_counts(tmp_path: Path) -> None:
    cells = library_of(tmp_path, LIBRARY.replace('"1ns"', '"10ps"'))
    assert fo4_ps(least(cells, NOT, "inverter")) == pytest.approx(17 / 30 * 10)


def test_interpolation_goes_on_beyond_the_edges() -> None:
    table = ([0.0, 2.0], [0.0, 1.0, 3.0], [0.0, 1.0, 3.0, 4.0, 5.0, 7.0])  # 2 load + slew
    points = [(1.0, 0.5), (2.0, 2.0), (4.0, 5.0), (-1.0, -1.0)]
    assert [interpolate(table, *point) for point in points] == [2.5, 6.0, 13.0, -3.0]


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("a + b & c", [0, 0, 0, 1, 1, 1, 1, 1]),
        ("a b | c", [0, 1, 0, 1, 0, 1, 1, 1]),
        ("a & b ^ c", [0, 0, 0, 0, 0, 1, 1, 0]),  # ^ binds tighter than &
        ("!a'", [0, 0, 0, 0, 1, 1, 1, 1]),
        ("(a+b)'*c", [0, 1, 0, 0, 0, 0, 0, 0]),
        ("a ^ b ^ c", list(SUM)),
        ("(a b)+(c (a+b))", list(CARRY)),
        ("1", [1] * 8),
    ],
)
def test_functions(function: str, table: list[int]) -> None:
    assert list(truth_table(function, "abc")) == [bool(bit) for bit in table]


@pytest.mark.parametrize("function", ["", "a &", "(a", "a )", "d", "a % b"])
def test_no_functions(function: str) -> None:
    with pytest.raises(ValueError, match=r"Liberty function|no input is called d"):
        truth_table(function, "abc")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "hand.lib has no library: name a Liberty file"),
        ("# Read me\n", "hand.lib, line 1: no Liberty statement"),
        (
            LIBRARY[: LIBRARY.index("timing")],
            "hand.lib ends within library hand cell INV: it is cut short",
        ),
        (LIBRARY + "}", "line 44: no Liberty statement"),
        (HEAD + "}", "no cell has an area"),
        (LIBRARY.replace("4.5", "large"), "line 29: cell ND2, area must be a number from 0"),
    ],
)
def test_no_library(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        library_of(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"1ns"', '"fast"', "has no time_unit such as 1ns, 100ps, 10ps or 1ps: 'fast'"),
        ("capacitance : 0.25;", "", "cell INV, input A has no capacitance"),
        ("cell_fall", "other", "INV has no cell_fall table"),
        ("cell_rise", "other", "INV has no cell_rise table"),
        ('"0.7, 1.2"', '"0.7"', "the size of its cell_rise table is not its indices'"),
        (
            'index_1 ("0, 2")',
            'index_1 ("2, 0")',
            "index_1 of its rise_transition does not ascend",
        ),
        (
            'index_2 ("0, 1")',
            'index_2 ("1, 1")',
            "index_2 of its rise_transition does not ascend",
        ),
        ('index_1 ("0, 2")', 'index_1 ("")', "INV: the size of its"),
    ],
)
def test_no_fo4(old: str, new: str, said: str, tmp_path: Path) -> None:
    cells = library_of(tmp_path, LIBRARY.replace(old, new))
    with pytest.raises(InputError, match=re.escape(said)):
        fo4_ps(least(cells, NOT, "inverter"))


def test_missing_cells_are_named(tmp_path: Path) -> None:
    cells = library_of(tmp_path, HEAD + INVERTER + "}")
    with pytest.raises(InputError, match="the cell library hand has no NAND2"):
        least(cells, NAND2, "NAND2")
    assert full_adder(cells) is None


def test_gzip_and_several_files(tmp_path: Path) -> None:
    first, second = tmp_path / "inverters.lib.gz", tmp_path / "others.lib"
    first.write_bytes(gzip.compress((HEAD + INVERTER + "}").encode()))
    second.write_text(HEAD.replace("hand", "more") + CELLS + "}", encoding="utf-8")
    both = read([first, second])
    assert both.name == "hand+more"
    assert fo4_ps(least(both, NOT, "inverter")) == pytest.approx(17 / 30 * 1000)
    assert both.cells["ND2"].source == second


def test_unreadable_files(tmp_path: Path) -> None:
    cut = tmp_path / "cut.lib.gz"
    cut.write_bytes(gzip.compress(LIBRARY.encode())[:-20])
    for path in (cut, tmp_path / "none.lib", tmp_path):
        with pytest.raises(
            InputError, match=f"cannot read the cell library {re.escape(str(path))}"
        ):
            read([path])


def test_groups_know_where_they_stand() -> None:
    group = parse(LIBRARY, "hand")
    lines = LIBRARY.splitlines()
    for cell in group.of("cell"):
        assert re.search(rf'cell \("?{cell.name}"?\)', lines[cell.line - 1])
    assert numbers('"1, 2.5", "-3e-2"') == [1.0, 2.5, -0.03]


def test_what_tools_are_given_says_the_same_on_the_same_lines() -> None:
    group = parse(LIBRARY, "hand")
    again = parse(write(group), "again")

    def plain(group) -> tuple:
        said = {name: text.replace(" ", "") for name, text in group.attributes.items()}
        inner = [plain(part) for part in group.groups]
        return group.kind, group.arguments, group.line, said, inner

    assert plain(again) == plain(group)


def test_installed_library(library) -> None:
    nand2, inverter = least(library, NAND2, "NAND2"), least(library, NOT, "inverter")
    assert (nand2.name, nand2.area) == ("NAND2X1", 24.0)
    assert (inverter.name, inverter.area) == ("INVX1", 16.0)
    found = full_adder(library)
    assert found
    assert found[0].name == "FAX1"


def test_fo4_is_the_slope_of_abc_s_inverter_chain(library, tmp_path: Path) -> None:
    """ABC times chains of 10 and of 30 inverters, each stage with three more as load."""
    delays = []
    for stages in (10, 30):
        gates = [
            f".gate INVX1 A=n{stage} Y={'n' if copy == 0 else f'x{copy}_'}{stage + 1}"
            for stage in range(stages)
            for copy in range(4)
        ]
        outputs = [f"x{copy}_{stage + 1}" for stage in range(stages) for copy in (1, 2, 3)]
        lines = [".model chain", ".inputs n0", f".outputs n{stages} {' '.join(outputs)}", *gates]
        (tmp_path / "chain.blif").write_text("\n".join([*lines, ".end\n"]), encoding="utf-8")
        commands = [f"read_lib -w {LIBERTY_FILE}", "read_blif chain.blif", "topo", "stime -p"]
        log = run_abc(tmp_path, commands, task="chain", timeout=30)
        found = re.findall(r"Delay\s*=\s*([\d.]+)", log)
        if not found:
            raise ToolError(log)
        delays.append(float(found[-1]))
    assert fo4_ps(least(library, NOT, "inverter")) == pytest.approx(
        (delays[1] - delays[0]) / 20, rel=0.05
    )
