"""What is kept of earlier work: nothing stale, nothing made twice, and nothing else removed."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import gateware.cached
import gateware.sources
import kllm.app
import sim.harness.model
import sim.run.ahead
import sim.run.quantised
from gateware.cached import cached_simulation_verilog, is_simulation_known
from gateware.points import point
from golden.base.cache import Cache, default_cache, digest
from golden.models.layer_source import LayerSource
from sim.harness.model import build_model
from sim.run.ahead import built_ahead
from sim.run.quantised import quantised

OPTIONS = {"weight_bits": 4, "activation_bits": 4, "symmetric": True, "recipe": "paper"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setenv("KLLM_CACHE", str(tmp_path / "cache"))
    return default_cache()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the sources that keys are made of from now on."""
    copy = tmp_path / "copy"
    for folder in gateware.sources.FOLDERS:
        shutil.copytree(
            gateware.sources.ROOT / folder,
            copy / folder,
            ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"),
        )
    monkeypatch.setattr(gateware.sources, "ROOT", copy)
    return copy


@pytest.mark.parametrize(
    ("name", "file", "others"),
    [
        ("lookup_tree_plain", "hw/linear/lookup/lookup_tree.py", "hw/token/grid_unit.py"),
        ("lookup_tree_plain", "gateware/emit.py", "gateware/package.py"),
        ("register_bank", "hw/chip/registers.rdl", "hw/linear/lookup/lookup_tree.py"),
    ],
)
def test_another_source_is_another_verilog(
    cache: Cache,
    sources: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    file: str,
    others: str,
) -> None:
    made: list[str] = []

    def make(_: object, name: str) -> str:
        made.append(name)
        return f"module {name}_{len(made)}(); endmodule"

    monkeypatch.setattr(gateware.cached, "simulation_verilog", make)
    design = point(name)
    assert not is_simulation_known(design)
    first = cached_simulation_verilog(design)
    assert is_simulation_known(design)
    (sources / others).write_text((sources / others).read_text() + "# no part of it\n")
    assert cached_simulation_verilog(design) == first
    (sources / file).write_text((sources / file).read_text() + "\n")
    assert not is_simulation_known(design)
    assert cached_simulation_verilog(design) != first
    monkeypatch.setattr("importlib.metadata.version", lambda package: f"{package} of tomorrow")
    cached_simulation_verilog(design)
    assert made == [name] * 3


def test_other_sizes_are_another_verilog(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateware.cached, "simulation_verilog", lambda made, name: name)
    cached_simulation_verilog(point("tiny:name=mine,inputs_max=128"))
    assert is_simulation_known(point("tiny:name=mine,inputs_max=128"))
    assert not is_simulation_known(point("tiny:name=mine,inputs_max=256"))


def test_a_program_is_built_ahead_where_that_saves_time(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    @contextmanager
    def started(command: list[str], **_: object) -> Iterator[None]:
        begun.append(command[-1])
        yield

    monkeypatch.setattr(sim.run.ahead, "started", started)
    monkeypatch.setattr(gateware.cached, "simulation_verilog", lambda made, name: name)
    for simulator in ("icarus", "verilator"):
        with built_ahead("tiny:inputs_max=128", simulator):
            pass
    assert begun == ["tiny:inputs_max=128"]
    cached_simulation_verilog(point("tiny:inputs_max=128"))
    with built_ahead("tiny:inputs_max=128", "verilator"):  # it is there
        pass
    monkeypatch.setenv("KLLM_CACHE", "")
    with built_ahead("tiny", "verilator"):  # nothing would be left of it
        pass
    assert len(begun) == 1


@pytest.fixture
def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needs: Callable[[str], None]
) -> Callable[..., bytes]:
    """Return a function that builds a program, by hand, and returns it."""
    needs("verilator")
    source = tmp_path / "source" / "program.cpp"
    source.parent.mkdir()
    source.write_text("first")
    count = 0

    def build(command: list[str], folder: Path, *_: object) -> None:
        nonlocal count
        count += 1
        (folder / "program").write_text(str(count))

    monkeypatch.setattr(sim.harness.model, "_build", build)

    def built(where: str = "a", verilog: str = "module top(); endmodule", **options) -> bytes:
        folder = tmp_path / where
        folder.mkdir(exist_ok=True)
        options.setdefault("defines", [f"-I{source.parent}"])
        return build_model(folder, verilog, "top", source, prefix="V", **options).read_bytes()

    return built


def test_a_program_is_built_anew_for_whatever_is_in_it(
    cache: Cache, tmp_path: Path, program: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = program()
    assert program() == first
    assert program("b") == first  # another folder
    found = [
        program(verilog="module top(input a); endmodule"),
        program(ports="other"),
        program(level="-O2"),
        program(defines=["-DOTHER", f"-I{tmp_path / 'source'}"]),
    ]
    (tmp_path / "source" / "more.h").write_text("more")
    found.append(program())
    (tmp_path / "source" / "program.cpp").write_text("second")
    found.append(program())
    monkeypatch.setattr(sim.harness.model, "tool_versions", lambda path: "newer")
    found.append(program())
    assert len({first, *found}) == 8
    assert program("b") == found[-1]  # what stood there before is replaced


def test_a_layer_is_quantised_once(
    cache: Cache, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def source(weight: np.ndarray) -> LayerSource:
        rows = np.linspace(-1, 1, 320).reshape(40, 8)
        x = np.zeros((1, 8), np.uint16)
        return LayerSource(name="", weight=weight, bias=np.zeros(6), calibration=rows, x=x)

    weight = rng.normal(size=(8, 6))
    first = quantised(source(weight), OPTIONS)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it is known")

    monkeypatch.setattr(sim.run.quantised, "quantize_linear", refuse)
    again = quantised(source(weight), OPTIONS)
    for name in ("w_index", "w_centroids", "a_centroids", "product_table", "bias"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    assert again.k_top == first.k_top
    for other, options in ((weight + 1e-9, OPTIONS), (weight, OPTIONS | {"weight_bits": 3})):
        with pytest.raises(AssertionError, match="known"):
            quantised(source(other), options)


def test_clearing_removes_results_alone(cache: Cache) -> None:
    assert cache.folder
    cache.put("layers", digest("one"), b"content")
    own = cache.folder / "layers" / "ab" / "mine.txt"
    own.parent.mkdir()
    own.write_text("mine")
    said = CliRunner().invoke(kllm.app.build_app(), ["cache"]).stdout
    assert "quantised layers" in said
    assert CliRunner().invoke(kllm.app.build_app(), ["cache", "--clear"]).exit_code == 0
    assert cache.files() == {}
    assert [path for path in cache.folder.rglob("*") if path.is_file()] == [own]


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")
