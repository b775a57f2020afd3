"""Rules about the code as a whole."""

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring

from hw.stream.component import Component, In, Out, port_texts, ports_of

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "golden": set(),
    "hw": {"golden"},
    "gateware": {"golden", "hw"},
    "sim": {"golden", "hw", "gateware"},
    "synth": {"golden", "hw", "gateware"},
    "kllm": {"golden", "hw", "gateware", "sim", "synth"},
}
LONGEST_FILE = 300
TIMING = ("Latency", "Rate", "Through paths", "Reset")
# The project is complete in itself: no place of one machine, no host. Written in two parts, so
# that this file may hold the list.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.])/" + r"(work|tmp|home|root)/",
            r"shared/" + r"(design|style|toolchain|example|pdk|vectors)",
            r"\bissue" + r"s? #?\d",
            r"\b(py" + r"pi\.org|python" + r"hosted|deb\.deb" + r"ian|npm" + r"js)\b",
        ]
    )
)


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the top-level package of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)


def tracked_files() -> list[Path]:
    command = ["git", "ls-files", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_one_way(folder: str) -> None:
    files = python_files(folder)
    assert files
    for path in files:
        for name in imports(path):
            forbidden = (set(MAY_IMPORT) | {"tests"}) - MAY_IMPORT[folder] - {folder}
            assert name not in forbidden, f"{path}: imports {name}"


def test_golden_needs_no_hardware_tools() -> None:
    for path in python_files("golden"):
        assert not {"amaranth", "cocotb", "pyosys"} & set(imports(path)), path


# Within golden, in the order of purpose: each may import those before it.
PURPOSES = ("base", "exact", "quantise", "models", "accuracy", "chip")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_golden_s_rooms_point_one_way(purpose: str) -> None:
    later = {f"golden.{name}" for name in PURPOSES[PURPOSES.index(purpose) + 1 :]}
    for path in python_files(f"golden/{purpose}"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert ".".join(name.split(".")[:2]) not in later, f"{path}: imports {name}"


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_folders_come_from_this_checkout(folder: str) -> None:
    """A stray package called ``hw`` or ``sim`` must not stand in for ours."""
    module = importlib.import_module(folder)
    assert Path(module.__file__ or "").parent == ROOT / folder


@pytest.mark.parametrize("folder", [*MAY_IMPORT, "tests"])
def test_files_are_short(folder: str) -> None:
    for path in python_files(folder):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= LONGEST_FILE, f"{path} has {lines} lines: split it"


def test_project_speaks_of_itself_alone() -> None:
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a figure
        found = FOREIGN.search(text)
        assert not found, f"{path}: {found[0]}" if found else ""


@pytest.mark.parametrize("text", ["see /" + "tmp/x", "shared/" + "style.md", "issue" + " 12"])
def test_foreign_words_are_found(text: str) -> None:
    assert FOREIGN.search(text)


def components() -> dict[str, type[wiring.Component]]:
    """Return all classes of components, by name with module."""
    found = {}
    for path in python_files("hw"):
        module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, wiring.Component) and kind.__module__ == module.__name__:
                found[f"{module.__name__}.{name}"] = kind
    return found


def section(doc: str, title: str) -> str:
    """Return the lines of a docstring's section."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", doc, re.S | re.M)
    return found[1] if found else ""


def timing_fault(kind: type) -> str | None:
    """Say what is wrong with a component's Timing section, its own or the one that it inherits.

    One without logic has none.
    """
    sections = (section(inspect.cleandoc(base.__doc__ or ""), "Timing") for base in kind.__mro__)
    said = re.findall(r"^([A-Z][a-z ]+?) : ", next(filter(None, sections), ""), re.M)
    has_logic = issubclass(kind, Component) and kind.build is not Component.build
    return f"its Timing section says {said}" if has_logic and tuple(said) != TIMING else None


def untold_ports(kind: type) -> set[str]:
    """Return the ports of a component without a text below them."""
    return {name for name in ports_of(kind) if not port_texts(kind).get(name)}


@pytest.mark.parametrize("name", components())
def test_components_say_their_timing(name: str) -> None:
    assert timing_fault(components()[name]) is None


@pytest.mark.parametrize("name", components())
def test_components_say_what_their_ports_are_for(name: str) -> None:
    kind = components()[name]
    assert issubclass(kind, Component), "its ports are not declared"
    assert not untold_ports(kind)
    assert "Ports" not in (kind.__doc__ or "")


class Untold(Component):
    """Says neither what its port is for nor its timing."""

    i = In(1)
    o = Out(1)
    """Ones."""

    def build(self, m: Module) -> None:  # noqa: D102
        m.d.comb += self.o.eq(self.i)


def test_what_is_not_said_is_told() -> None:
    assert untold_ports(Untold) == {"i"}
    assert timing_fault(Untold) == "its Timing section says []"
    assert timing_fault(Component) is None


@pytest.mark.parametrize("name", ["tiny", pytest.param("small", marks=[pytest.mark.slow])])
def test_verilog_is_the_same_in_another_process(name: str) -> None:
    from gateware.points import CATALOGUE

    script = f"from gateware.points import CATALOGUE; print(CATALOGUE[{name!r}].verilog(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == CATALOGUE[name].verilog()


def rooms_used(folder: str) -> dict[str, set[str]]:
    """Return which folders of a package each of its folders imports from; files count as one."""
    used: dict[str, set[str]] = {}
    for path in python_files(folder):
        inner = path.relative_to(ROOT / folder).parts
        if len(inner) < 2:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{folder}."):
                room = (node.module or "").split(".")[1]
                if room != inner[0] and (ROOT / folder / room).is_dir():
                    used.setdefault(inner[0], set()).add(room)
    return used


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_rooms_of_a_folder_form_no_circle(folder: str) -> None:
    used = rooms_used(folder)
    assert tuple(TopologicalSorter(used).static_order()) or not used
