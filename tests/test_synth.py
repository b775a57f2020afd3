"""Synthesis: what is mapped computes the same, and what is counted is what was mapped."""
# ruff: noqa: D101, D102

import json
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from typer.testing import CliRunner

import kllm.app
from gateware.design import Design
from gateware.point import Point
from gateware.points import POINTS
from gateware.sizes import engine_spec
from golden.base.errors import InputError, ToolError
from hw.linear.lookup.lookup_tree import LookupTree
from hw.stream.share import share
from synth.area.area import Area
from synth.area.measure_design import measure, measure_design
from synth.libraries.liberty import Library, read
from synth.libraries.syntax import write
from synth.libraries.tools import LIBERTY_FILE, LIBERTY_PACKAGE

KEYS = "design library area ge ge_sequential delay_ps delay_fo4 cells yosys".split()

FLIP_FLOP_GE = 4  # DFFPOSX1 has area 96, NAND2X1 24


def design_of(component: wiring.Component) -> Design:
    return Design(name="dut", make=lambda: component)


class Registers(wiring.Component):
    i: Signal
    o: Signal

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__({"i": In(bits), "o": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal(self.bits, reset_less=True)
        m.d.sync += held.eq(self.i)
        m.d.comb += self.o.eq(held)
        return m


class Holder(wiring.Component):
    """Three shared parts, and a register of its own."""

    i: Signal
    o: Signal

    def __init__(self) -> None:
        super().__init__({"i": In(4), "o": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = self.i
        for n, part in enumerate((Registers(4), Registers(4), Registers(4))):
            m.submodules[f"part{n}"] = share(platform, part)
            m.d.comb += part.i.eq(value)
            value = part.o
        m.submodules.own = own = Registers(4)
        m.d.comb += [own.i.eq(value), self.o.eq(own.o)]
        return m


def test_each_copy_counts(library: Library) -> None:
    area = measure(design_of(Holder()), library)
    assert [(block.module, block.copies, block.ge) for block in area.blocks] == [
        ("dut", 1, 4 * FLIP_FLOP_GE),
        ("dut_registers", 3, 4 * FLIP_FLOP_GE),
    ]
    assert area.ge == area.ge_sequential == 16 * FLIP_FLOP_GE
    assert (area.cells, area.flip_flops) == (16, 16)


class Store(wiring.Component):
    """A memory with one port to write and one to read."""

    row: Signal
    word: Signal
    o: Signal

    def __init__(self, depth: int, written: bool = True) -> None:
        self.depth = depth
        self.written = written
        super().__init__({"row": In(range(depth)), "word": In(8), "o": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        content = [(n * 37 + 11) & 255 for n in range(self.depth)]
        m.submodules.memory = memory = Memory(shape=unsigned(8), depth=self.depth, init=content)
        read_port = memory.read_port(domain="comb")
        m.d.comb += [read_port.addr.eq(self.row), self.o.eq(read_port.data)]
        if self.written:
            write = memory.write_port()
            m.d.comb += [write.addr.eq(self.row), write.data.eq(self.word), write.en.eq(1)]
        return m


@pytest.mark.parametrize(
    ("depth", "written", "bits", "flip_flops"),
    [(64, True, 512, 0), (16, True, 0, 128), (64, False, 0, 0)],
)
def test_large_memories_are_no_flip_flops(
    depth: int, written: bool, bits: int, flip_flops: int, library: Library
) -> None:
    area = measure(design_of(Store(depth, written)), library)
    assert (area.memory_bits, area.flip_flops) == (bits, flip_flops)
    assert (area.ge < 10) == (bits > 0)  # a table of constants is gates


def test_lookup_lane_is_within_its_budget(library: Library) -> None:
    """A lane of 16 with its part of the adder tree: 260 GE at most."""
    spec = replace(engine_spec("minilm", symmetric=True), inputs_per_beat=16)
    area = measure(design_of(LookupTree(spec)), library)
    assert area.flip_flops == 0
    assert 100 < area.ge / 16 <= 260


def test_library_without_flip_flop_is_refused(library: Library, tmp_path: Path) -> None:
    (group,) = library.groups.values()
    gates = {name: name for name, cell in library.cells.items() if not cell.sequential}
    path = tmp_path / "poor.lib"
    path.write_text(write(group, gates), encoding="utf-8")
    poor = read([path])
    with pytest.raises(InputError, match="has no flip-flop"):
        measure(design_of(Registers(2)), poor)


def test_time_limit_is_one_sentence(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Yosys that never ends, for a real one may be done before anyone looks."""
    monkeypatch.setenv("KLLM_CACHE", "")  # or it may be known already
    monkeypatch.setattr("gateware.yosys.CHILD", "while True: pass")
    with pytest.raises(ToolError, match=r"synthesis of dut within 0.01 s: the time was over"):
        measure(design_of(Registers(8)), library, timeout=0.01)


def test_library_in_two_files_is_one(library: Library, tmp_path: Path) -> None:
    """The first file has the flip-flops and the full adder, the second all other cells."""
    (group,) = library.groups.values()
    first = {name for name, cell in library.cells.items() if cell.sequential or name == "FAX1"}
    parts = []
    for kept in (first, library.cells.keys() - first):
        parts.append(tmp_path / f"part{len(parts)}.lib")
        parts[-1].write_text(write(group, {name: name for name in kept}), encoding="utf-8")
    split = measure(design_of(Registers(8)), read(parts))
    entire = measure(design_of(Registers(8)), library)
    assert (split.area, split.delay_ps) == (entire.area, entire.delay_ps)
    assert split.library == "osu018_stdcells+osu018_stdcells"


@pytest.fixture
def wee(library: Library, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a small design among the points."""
    monkeypatch.setitem(POINTS, "wee", Point("wee", lambda: Registers(2)))
    return "wee"


def test_measured_by_name(wee: str) -> None:
    result = measure_design(wee)
    assert list(result)[:9] == KEYS
    assert set(result) == set(Area.__dataclass_fields__)
    assert result["ge"] == result["ge_sequential"] == 2 * FLIP_FLOP_GE
    assert json.loads(json.dumps(result)) == result


def synth(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["synth", *arguments])


def test_command_prints_and_writes(wee: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "area.json"
    result = synth(wee, "--json", str(path), "--blocks", "--liberty", str(LIBERTY_FILE))
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(path.read_text())
    assert set(KEYS) <= set(entry)
    assert (entry["design"], entry["library"]) == ("wee", "osu018_stdcells")
    text = " ".join(result.output.split())
    assert "area / 24, that of NAND2X1" in text
    assert "that of INVX1, the smallest inverter, driving four of its kind" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tinny"], "no design 'tinny'; near are tiny"),
        (["wee", "--liberty", "none.lib"], "cannot read the cell library none.lib"),
        (["wee", "--liberty", str(Path(kllm.__file__))], "no Liberty statement"),
        (["wee", "--json", f"{kllm.__file__}/area.json"], "cannot make the folder"),
    ],
)
def test_bad_input_is_one_sentence(arguments: list[str], said: str, wee: str) -> None:
    result = synth(*arguments)
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)


def test_failed_synthesis_leaves_the_old_numbers(wee: str, tmp_path: Path) -> None:
    path = tmp_path / "area.json"
    path.write_text("old")
    poor = tmp_path / "poor.lib"
    poor.write_text("library (poor) { cell (X) { area : 1; } }")
    result = synth(wee, "--liberty", str(poor), "--json", str(path))
    assert isinstance(result.exception, InputError)
    assert "has no NAND2" in str(result.exception)
    assert path.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["area.json", "poor.lib"]


def test_missing_default_library_says_how_to_get_one(
    wee: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("synth.libraries.tools.LIBERTY_FILE", tmp_path / "none.lib")
    monkeypatch.delenv("KLLM_LIBERTY", raising=False)
    result = synth(wee)
    assert isinstance(result.exception, ToolError)
    assert f"apt-get install {LIBERTY_PACKAGE}" in str(result.exception)


def test_without_delays(wee: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not measured is no number; the cache is empty, for it might know the delay."""
    monkeypatch.setenv("KLLM_CACHE", "")
    out = tmp_path / "area.json"
    result = synth(wee, "--no-delay", f"--json={out}")
    assert result.exit_code == 0, result.output
    (figures,) = json.loads(out.read_text())
    assert figures["ge"] > 0
    assert figures["delay_ps"] is None
    assert figures["delay_fo4"] is None
