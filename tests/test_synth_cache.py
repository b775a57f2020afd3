"""What is measured once is not measured again, never wrongly, and never half-written."""
# ruff: noqa: D101, D102

import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import synth.area.measure
from gateware.design import Design
from gateware.points import CATALOGUE
from gateware.sources import reached, source_digest
from golden.base.cache import Cache
from golden.base.errors import InputError, ToolError
from hw.stream.share import share
from synth.area.area import as_json
from synth.area.measure import measure_all, tree_digest
from synth.area.measure_design import measure
from synth.libraries.liberty import Library, read
from synth.mapping.components import components
from synth.mapping.mapped import map_component

ROOT = Path(synth.area.measure.__file__).resolve().parents[2]


class Leaf(wiring.Component):
    a: Signal
    o: Signal

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__({"a": In(bits), "o": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.o.eq(self.a + 3)
        return m


class Holder(wiring.Component):
    """Two leaves in a row, or one, and a register."""

    a: Signal
    o: Signal

    def __init__(self, leaves: int) -> None:
        self.leaves = leaves
        super().__init__({"a": In(6), "o": Out(6)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.a
        for number in range(self.leaves):
            leaf = Leaf(6)
            m.submodules[f"leaf{number}"] = share(platform, leaf)
            m.d.comb += leaf.a.eq(value)
            value = leaf.o
        m.d.sync += self.o.eq(value)
        return m


def holder(name: str, leaves: int) -> Design:
    return Design(name=name, make=partial(Holder, leaves))


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the components that are mapped, in order, from now on."""
    names: list[str] = []

    def counted(part, library, timeout):
        names.append(part.name)
        return map_component(part, library, timeout)

    monkeypatch.setattr(synth.area.measure, "map_component", counted)
    return names


def test_same_component_has_the_same_text_in_each_design() -> None:
    first, second = components(holder("first", 1)), components(holder("second", 2))
    assert list(first) == ["first", "first_leaf"]
    assert first["first_leaf"].digest == second["second_leaf"].digest
    assert first["first"].digest != second["second"].digest
    assert "first" not in first["first_leaf"].text
    assert tree_digest(first, "first_leaf") == tree_digest(second, "second_leaf")
    assert tree_digest(first, "first") != tree_digest(second, "second")
    assert tree_digest(first, "first") == tree_digest(components(holder("other", 1)), "other")


def test_each_distinct_component_is_mapped_once(
    mapped: list[str], library: Library, tmp_path: Path
) -> None:
    designs = [holder("first", 1), holder("second", 2)]
    cache = Cache(tmp_path)
    areas = measure_all(designs, library, cache=cache)
    assert sorted(mapped) == ["first", "first_leaf", "second"]
    again = measure_all(designs, library, cache=cache)
    assert len(mapped) == 3
    assert again == areas
    by_count = {area.design: [(b.module, b.copies) for b in area.blocks] for area in areas}
    assert by_count["second"] == [("second", 1), ("second_leaf", 2)]
    assert areas[1].ge - areas[0].ge == pytest.approx(areas[0].blocks[1].ge, rel=1e-9)
    assert areas[1].delay_ps > areas[0].delay_ps > 0  # paths go through components
    assert areas[1].path_end == "o[5]"
    assert not cache.complaint


def test_another_library_is_another_result(
    mapped: list[str], library: Library, tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    measure_all([holder("one", 1)], library, cache=cache)
    measure_all([holder("one", 1)], read(library.files, ["XOR2X1"]), cache=cache)
    assert len(mapped) == 4


@pytest.mark.parametrize("damage", [b"", b"half", "flip"])
def test_damaged_files_are_measured_again(
    damage: bytes | str, mapped: list[str], library: Library, tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    areas = measure_all([holder("one", 1)], library, cache=cache)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3  # two components and the longest path
    for path in files:
        content = path.read_bytes()
        at = len(content) // 2
        flipped = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        path.write_bytes(flipped if isinstance(damage, str) else damage)
    assert measure_all([holder("one", 1)], library, cache=cache) == areas
    assert len(mapped) == 4
    assert measure_all([holder("one", 1)], library, cache=cache) == areas
    assert len(mapped) == 4  # they were mended


def test_full_disk_is_one_sentence_and_no_failure(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise InputError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("golden.base.cache.write_whole", full)
    cache = Cache(tmp_path)
    (area,) = measure_all([holder("one", 1)], library, cache=cache)
    assert area.ge > 0
    assert "results are not kept: cannot write" in cache.complaint
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_same_thing_is_made_once(tmp_path: Path) -> None:
    """Who wants what another one makes waits for it; a failure leaves nothing behind."""
    cache, made = Cache(tmp_path), []

    def make() -> bytes:
        made.append(1)
        time.sleep(0.1)
        if len(made) == 1:
            raise ToolError("failed")
        return b"found"

    def ask(_: int) -> bytes:
        return cache.made("kind", "abcd", make, bytes, bytes)

    with pytest.raises(ToolError, match="failed"):
        ask(0)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [b"found"] * 4
    assert len(made) == 2
    assert not list(tmp_path.rglob("*.busy"))


def test_failure_of_one_component_ends_all(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(part, library, timeout):
        raise ToolError(f"{part.name} failed")

    monkeypatch.setattr(synth.area.measure, "map_component", fail)
    with pytest.raises(ToolError, match="failed"):
        measure_all([holder("one", 1)], library, cache=Cache(tmp_path))


def test_catalog_is_known_by_its_sources(mapped: list[str], library: Library, tmp_path: Path):
    """Without elaboration: the second time ``make`` is not even called."""
    cache = Cache(tmp_path)
    design = CATALOGUE["fp16_add"]
    (area,) = measure_all([design], library, cache=cache)
    assert mapped == ["fp16_add"]
    copy = Design(name=design.name, make=design.make)
    assert measure_all([copy], library, cache=cache) == [area]
    assert "emission" not in vars(copy)


def test_sources_of_a_design() -> None:
    digests = [source_digest(design) for design in CATALOGUE.values()]
    assert None not in digests
    assert len(set(digests)) == len(digests)
    assert source_digest(holder("one", 1)) is None  # no component of the project
    plain = Design(name="x", make=lambda: Leaf(1))
    assert source_digest(plain) is None


def test_sources_are_followed() -> None:
    """All that a component imports, and nothing else."""
    files = reached({"hw.fp16.fp16_add"})
    assert {ROOT / "hw/fp16/fp16_add.py", ROOT / "hw/__init__.py"} <= files
    assert ROOT / "hw/linear/lookup/lookup_engine.py" not in files
    every = reached({"gateware.points.linear_lookup", "gateware.points.fp16"})
    assert {ROOT / "hw/linear/lookup/lookup_engine.py", *files} <= every


def test_areas_do_not_depend_on_folder_or_hash_seed(library: Library, tmp_path: Path) -> None:
    script = (
        "import json; from gateware.points import CATALOGUE;"
        "from synth.libraries.libraries import load;"
        "from synth.area.area import as_json;"
        "from synth.area.measure_design import measure;"
        "print(json.dumps(as_json(measure(CATALOGUE['orizuru_unit'], load()))))"
    )
    results = []
    for seed in ("1", "77"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {"PYTHONHASHSEED": seed, "KLLM_CACHE": "", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=os.environ | environment | {"TMPDIR": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(done.stdout)
    assert results[0] == results[1]
    assert '"design": "orizuru_unit"' in results[0]


def test_plain_data_of_an_area(library: Library) -> None:
    area = measure(holder("one", 1), library)
    plain = as_json(area)
    assert plain["cell_counts"] == area.cell_counts
    assert sum(plain["cell_counts"].values()) == area.cells
    untimed = as_json(replace(area, delay_ps=math.nan, delay_fo4=math.nan))
    assert (untimed["delay_ps"], untimed["delay_fo4"]) == (None, None)  # JSON has no NaN
