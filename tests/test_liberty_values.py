"""Liberty's values: cells that are not for logic, areas, units, and what one cell stands for."""

import re
from pathlib import Path

import pytest

from golden.base.errors import InputError
from synth.area.area import units
from synth.libraries.fo4 import fo4_ps
from synth.libraries.functions import NOT, least
from synth.libraries.liberty import SPECIAL, Library, read
from synth.libraries.units import CAPACITANCE, LEAKAGE, TIME, VOLTAGE, unit
from synth.power.energy import Energies
from tests.test_liberty import LIBRARY
from tests.test_synth_power import LIBRARY as POWER_LIBRARY

SMALLER = """
  cell (INV_OTHER) { area : 0.5; %s
    pin (A) { direction : input; capacitance : 0.1; %s }
    pin (Y) { direction : output; function : "!A"; } }
}
"""


LINES = {"INV": "cell (INV)", "DFF": "cell (DFF)", "ROW": "cell_rise", "TWO": "index_2"}


def line_of(text: str) -> int:
    return LIBRARY[: LIBRARY.index(text)].count("\n") + 1


def library_of(folder: Path, text: str) -> Library:
    path = folder / "hand.lib"
    path.write_text(text, encoding="utf-8")
    return read([path])


def with_smaller(cell: str = "", pin: str = "") -> str:
    return LIBRARY.rstrip().removesuffix("}") + SMALLER % (cell, pin)


@pytest.mark.parametrize("name", sorted(SPECIAL))
@pytest.mark.parametrize("value", ["true", "TRUE", "1", '"true"'])
def test_special_cells_are_not_chosen(name: str, value: str, tmp_path: Path) -> None:
    """An isolation cell looks like any gate; it must not become one, nor the FO4 inverter."""
    for text in (with_smaller(f"{name} : {value};"), with_smaller(pin=f"{name} : {value};")):
        cells = library_of(tmp_path, text)
        assert least(cells, NOT, "inverter").name == "INV"
        assert "INV_OTHER" in cells.avoided


@pytest.mark.parametrize("value", ["false", "FALSE", "0", '"false"'])
def test_what_says_no_is_no_reason(value: str, tmp_path: Path) -> None:
    cells = library_of(tmp_path, with_smaller(f"dont_use : {value}; is_macro_cell : {value};"))
    assert least(cells, NOT, "inverter").name == "INV_OTHER"
    (text,) = cells.texts.values()
    # ABC forbids a cell that has the attribute, whatever its value.
    assert text.count("dont_use") == LIBRARY.count("dont_use")


def test_digest_tells_a_permission(tmp_path: Path) -> None:
    kinds = ("", "dont_use : false;", "dont_use : true;")
    assert len({library_of(tmp_path, with_smaller(kind)).digest for kind in kinds}) == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("area : 2.0", "area : nan", "line {INV}: cell INV, area must be a number from 0: 'nan'"),
        ("area : 2.0", "area : -2", "line {INV}: cell INV, area must be a number from 0: '-2'"),
        ("area : 2.0", "area : inf", "line {INV}: cell INV, area must be a number from 0: 'inf'"),
        ("area : 2.0", "area : 1_0", "line {INV}: cell INV, area must be a number from 0: '1_0'"),
        ("area : 2.0;", "", "line {INV}: cell INV has no area: give it one, or forbid it"),
        ("area : 9;", "", "line {DFF}: cell DFF has no area: give it one, or forbid it"),
        ("capacitance : 0.25", "capacitance : nan", "cell INV, capacitance must be a number"),
        ("capacitance : 0.25", "capacitance : -1", "cell INV, capacitance must be a number"),
        ("capacitance : 0.25", "rise_capacitance : x", "rise_capacitance must be a number"),
        ('"0.7, 1.2"', '"0.7, high"', "line {ROW}: values is no list of numbers"),
        ('"0.7, 1.2"', '"0.7, nan"', "line {ROW}: values is no list of numbers"),
        ('index_2 ("0, 1")', 'index_2 ("0, a")', "line {TWO}: index_2 is no list of numbers"),
        ("cell (BIG_INV)", "cell (INV)", "cell INV again"),
        ("time_unit", "include_file (x); time_unit", "include_file is not followed"),
    ],
)
def test_bad_numbers_have_their_line(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in LIBRARY
    said = said.format(**{name: line_of(text) for name, text in LINES.items()})
    with pytest.raises(InputError, match=re.escape(said)):
        library_of(tmp_path, LIBRARY.replace(old, new))


def test_forbidden_cells_need_no_area(tmp_path: Path) -> None:
    text = LIBRARY.replace("area : 3;", "dont_use : TRUE;")
    assert library_of(tmp_path, text).cells["BIG_INV"].area == 0


@pytest.mark.parametrize(
    ("name", "said", "value"),
    [
        (TIME, '"1ns"', 1e-9), (TIME, "1e0 ns", 1e-9), (TIME, '"1000ps"', 1e-9),
        (TIME, '"0.1 NS"', 1e-10), (TIME, "10ps", 1e-11), (TIME, '"ps"', 1e-12),
        (CAPACITANCE, "(1, ff)", 1e-15), (CAPACITANCE, '(1.5e1, "pF")', 15e-12),
        (CAPACITANCE, '("0.5","ff")', 5e-16),
        (VOLTAGE, '"100mV"', 0.1), (VOLTAGE, "1V", 1.0),
        (LEAKAGE, '"10uW"', 1e-5), (LEAKAGE, '"1e2pW"', 1e-10),
    ],
)  # fmt: skip
def test_units(name: str, said: str, value: float, tmp_path: Path) -> None:
    colon = "" if said.startswith("(") else ":"
    text = f"library (x) {{ {name} {colon} {said}; cell (A) {{ area : 1; }} }}"
    cells = library_of(tmp_path, text)
    (group,) = cells.groups.values()
    assert unit(group, name) == pytest.approx(value)
    (again,) = library_of(tmp_path, "".join(cells.texts.values())).groups.values()
    assert unit(again, name) == pytest.approx(value)


@pytest.mark.parametrize("said", ["1us", "2ns", "fast", "1", "nan", "0ns", "-1ns"])
def test_no_units_of_time(said: str, tmp_path: Path) -> None:
    cells = library_of(tmp_path, LIBRARY.replace("1ns", said))
    with pytest.raises(InputError, match=f"no time_unit such as 1ns, 100ps.*{said}"):
        fo4_ps(cells.cells["INV"])


def test_a_nanosecond_is_what_files_mean_that_say_nothing(tmp_path: Path) -> None:
    cells = library_of(tmp_path, LIBRARY.replace('time_unit : "1ns";', ""))
    assert fo4_ps(cells.cells["INV"]) == pytest.approx(17 / 30 * 1000)


def test_tables_of_nothing_are_no_fo4(tmp_path: Path) -> None:
    text = re.sub(r'values \("[^;]*;', 'values ("0, 0", "0, 0");', LIBRARY)
    with pytest.raises(InputError, match="a delay of 0 in its tables"):
        fo4_ps(library_of(tmp_path, text).cells["INV"])


def test_energies_do_not_depend_on_the_unit_of_voltage(tmp_path: Path) -> None:
    """Tables in fJ (pF and mV squared are 1e-18 J): a million times the numbers."""
    plain = Energies(library_of(tmp_path, POWER_LIBRARY))
    text = POWER_LIBRARY.replace("nom_voltage : 2", 'voltage_unit : "1mV"; nom_voltage : 2000')
    in_power = re.compile(r'((?:rise|fall)_power \(one\) { values \(")([\d.]+)')
    text = in_power.sub(lambda found: f"{found[1]}{float(found[2]) * 1e6:g}", text)
    milli = Energies(library_of(tmp_path, text))
    assert milli.volts == plain.volts == 2
    for costs in (plain, milli):
        assert costs.internal_pj("INV", "Y", 1e-12) == pytest.approx(0.2)
        assert costs.charge_pj(1e-12) == pytest.approx(2)


def test_units_that_contradict_the_voltage_are_refused(tmp_path: Path) -> None:
    text = POWER_LIBRARY.replace("nom_voltage", 'voltage_unit : "1mV"; nom_voltage')
    with pytest.raises(InputError, match=r"a nom_voltage of 2 is 0.002 V with its voltage_unit"):
        _ = Energies(library_of(tmp_path, text)).volts


def test_energies_do_not_depend_on_what_was_asked_before(library: Library) -> None:
    """Loads that differ by a hundred attofarads: neither answer may serve for the other."""
    loads = (20.0e-15, 20.1e-15, 20.4e-15)
    apart = [Energies(library).internal_pj("NAND2X1", "Y", load) for load in loads]
    for order in (loads, loads[::-1]):
        costs = Energies(library)
        found = {load: costs.internal_pj("NAND2X1", "Y", load) for load in order}
        assert [found[load] for load in loads] == apart
    assert len(set(apart)) == 3


@pytest.mark.parametrize(
    ("pin", "farads"),
    [
        ("capacitance : 0.5;", 0.5e-12),
        ("rise_capacitance : 0.2; fall_capacitance : 0.4;", 0.3e-12),
        ("", 0.125e-12),
    ],
)
def test_capacitances(pin: str, farads: float, tmp_path: Path) -> None:
    text = POWER_LIBRARY.replace("capacitance : 0.5;", pin)
    text = text.replace("nom_voltage", "default_input_pin_cap : 0.125; nom_voltage")
    assert Energies(library_of(tmp_path, text)).pin_farads("DFF", "D") == pytest.approx(farads)


def test_an_input_without_capacitance_is_no_zero(tmp_path: Path) -> None:
    text = POWER_LIBRARY.replace("capacitance : 0.5;", "")
    costs = Energies(library_of(tmp_path, text))
    with pytest.raises(InputError, match=r"line \d+: cell DFF, input D has no capacitance"):
        costs.pin_farads("DFF", "D")


def test_one_group_may_describe_several_pins(tmp_path: Path) -> None:
    two = "pin (A) { direction : input; } pin (B) { direction : input; }"
    nor = "cell (NR2) { area : 1; "
    for one in ("pin (A, B) { direction : input; }", 'pin ("A B") { direction : input; }'):
        assert nor + two in LIBRARY
        cells = library_of(tmp_path, LIBRARY.replace(nor + two, nor + one))
        assert list(cells.cells["NR2"].pins("input")) == ["A", "B"]


def test_a_unit_that_is_not_the_weakest_cell_is_said(tmp_path: Path) -> None:
    """As in libraries where the weakest NAND2 is drawn wider than the next."""
    assert units(library_of(tmp_path, LIBRARY)).note == ""
    larger = with_smaller("", "").replace("area : 0.5", "area : 2.5")
    said = units(library_of(tmp_path, larger)).note
    assert "INV is the smallest of its kind, but not the weakest: INV_OTHER" in said
    assert "2.5" in said
    heavier = larger.replace("capacitance : 0.1;", "capacitance : 0.9;")
    assert units(library_of(tmp_path, heavier)).note == ""
