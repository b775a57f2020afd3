"""Cell libraries by name, and real ones where ``KLLM_PDK`` names a folder of them."""

import os
from pathlib import Path

import pytest

from golden.base.errors import InputError, ToolError
from synth.area.area import units
from synth.libraries.libraries import QFLOW, QFLOW_FILES, load, resolve

KITS = os.environ.get("KLLM_PDK")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of process kits in the standard layout, of empty files."""
    for name in (
        "sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__tt_025C_1v80.lib",
        "sky130A/libs.ref/sky130_fd_sc_hd/lib/sky130_fd_sc_hd__ss_100C_1v60.lib",
        "sky130A/libs.ref/sky130_fd_sc_hs/lib/sky130_fd_sc_hs__tt_025C_1v80.lib",
        "gf180mcuC/libs.ref/gf180mcu_fd_sc_mcu7t5v0/lib/gf180mcu_fd_sc_mcu7t5v0__tt_025C_5v00.lib",
        "gf180mcuD/libs.ref/gf180mcu_fd_sc_mcu7t5v0/lib/gf180mcu_fd_sc_mcu7t5v0__tt_025C_5v00.lib",
        "ihp-sg13g2/libs.ref/sg13g2_stdcell/lib/sg13g2_stdcell_typ_1p20V_25C.lib",
        "ihp-sg13g2/libs.ref/sg13g2_stdcell/lib/sg13g2_stdcell_slow_1p08V_125C.lib",
        "asap7/asap7sc7p5t_AO_RVT_TT_nldm.lib.gz",
        "asap7/asap7sc7p5t_SEQ_RVT_TT_nldm.lib.gz",
        "asap7/asap7sc7p5t_SEQ_RVT_SS_nldm.lib.gz",
        "mine/libs.ref/cells/lib/fast.lib",
        "mine/libs.ref/cells/lib/slow.lib",
        "empty/readme.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("sky130A", ["sky130_fd_sc_hd__tt_025C_1v80.lib"]),
        ("sky130A/sky130_fd_sc_hs", ["sky130_fd_sc_hs__tt_025C_1v80.lib"]),
        ("gf180mcu", ["gf180mcu_fd_sc_mcu7t5v0__tt_025C_5v00.lib"]),
        ("ihp-sg13g2", ["sg13g2_stdcell_typ_1p20V_25C.lib"]),
        ("asap7", ["asap7sc7p5t_AO_RVT_TT_nldm.lib.gz", "asap7sc7p5t_SEQ_RVT_TT_nldm.lib.gz"]),
    ],
)
def test_kits_are_found_in_their_typical_corner(name: str, files: list[str], root: Path) -> None:
    found = resolve(name)
    assert [path.name for path in found.files] == files
    assert all(path.is_file() and root in path.parents for path in found.files)
    assert ("SDF*" in found.avoid) == (name == "asap7")


def test_the_last_variant_of_a_kit_is_meant(root: Path) -> None:
    assert "gf180mcuD" in resolve("gf180mcu").files[0].parts
    assert "gf180mcuC" in resolve("gf180mcuC").files[0].parts


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", "no cell library 'nothing': PDK_ROOT"),
        ("empty", "no Liberty file below"),
        ("sky130A/none", "no Liberty file below"),
        ("mine", "has several Liberty files, fast.lib, slow.lib: name one of them"),
    ],
)
def test_what_a_kit_lacks_is_one_sentence(name: str, said: str, root: Path) -> None:
    with pytest.raises(InputError) as caught:
        resolve(name)
    assert said in str(caught.value)


def test_without_kits_the_names_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PDK_ROOT", raising=False)
    with pytest.raises(InputError, match=r"'osu019'; near are .*osu018.* PDK_ROOT"):
        resolve("osu019")
    monkeypatch.setenv("PDK_ROOT", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"PDK_ROOT names .*none: No such file"):
        resolve("sky130A")
    monkeypatch.setattr("synth.libraries.libraries.QFLOW", tmp_path)
    with pytest.raises(InputError, match="apt-get install qflow-tech-osu035"):
        resolve("osu035")


@pytest.mark.parametrize("name", QFLOW_FILES)
def test_qflow_libraries_are_known_by_name(name: str) -> None:
    if not (QFLOW / QFLOW_FILES[name]).is_file():
        pytest.skip(f"qflow-tech-{name} is not installed")
    unit = units(load([name]))
    assert (unit.nand2.name, unit.inverter.name) == ("NAND2X1", "INVX1")
    assert 50 < unit.fo4_ps < 300


def test_several_files_with_commas(tmp_path: Path) -> None:
    first, second = tmp_path / "one.lib", tmp_path / "two.lib"
    first.write_text("library (one) { cell (A) { area : 1; } }")
    second.write_text("library (two) { cell (B_slow) { area : 2; } cell (C) { area : 2; } }")
    both = load([f"{first},{second}"], ["*_slow,X"])
    assert both.name == "one+two"
    assert list(both.cells) == ["A", "B_slow", "C"]
    assert both.avoided == ("B_slow",)
    assert both.digest != load([str(first), str(second)]).digest


def test_the_same_cells_elsewhere_have_the_same_digest(tmp_path: Path) -> None:
    text = "library (one) { cell (A) { area : 1; } }"
    paths = [tmp_path / "a.lib", tmp_path / "b.lib"]
    for path in paths:
        path.write_text(text)
    changed = tmp_path / "c.lib"
    changed.write_text(text.replace("1;", "2;"))
    digests = [load([str(path)]).digest for path in (*paths, changed)]
    assert digests[0] == digests[1] != digests[2]


def test_no_default_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KLLM_LIBERTY", str(tmp_path / "none.lib"))
    with pytest.raises(ToolError, match=r"KLLM_LIBERTY names .*none.lib"):
        load()


@pytest.mark.parametrize(
    ("kit", "nand2", "area"),
    [
        ("sky130hd", "sky130_fd_sc_hd__nand2_1", 3.7536),
        ("ihp-sg13g2", "sg13g2_nand2_1", 7.2576),
        ("asap7", "NAND2x1_ASAP7_75t_R", 0.08748),
    ],
)
def test_real_kits(kit: str, nand2: str, area: float, monkeypatch: pytest.MonkeyPatch) -> None:
    if not KITS or not Path(KITS, kit).is_dir():
        pytest.skip(f"KLLM_PDK names no folder with {kit}")
    monkeypatch.setenv("PDK_ROOT", KITS)
    unit = units(load([kit]))
    assert (unit.nand2.name, unit.nand2.area) == (nand2, pytest.approx(area))
    assert 5 < unit.fo4_ps < 100
