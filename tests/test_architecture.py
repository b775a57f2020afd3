"""Rules about the code as a whole."""

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
PURPOSES = ("base", "exact", "quantise", "models", "accuracy")


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


def components(path: Path) -> Iterator[ast.ClassDef]:
    """Yield the classes of a file that are Amaranth components."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            if any(ast.unparse(base).endswith("Component") for base in node.bases):
                yield node


def section(doc: str, title: str) -> str:
    """Return the lines of a docstring's section."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", doc, re.S | re.M)
    return found[1] if found else ""


@pytest.mark.parametrize("path", python_files("hw"), ids=lambda path: path.stem)
def test_components_say_their_timing(path: Path) -> None:
    for node in components(path):
        doc = ast.get_docstring(node) or ""
        said = re.findall(r"^([A-Z][a-z ]+?) : ", section(doc, "Timing"), re.M)
        assert tuple(said) == TIMING, f"{node.name}: its Timing section says {said}"


@pytest.mark.parametrize("path", python_files("hw"), ids=lambda path: path.stem)
def test_port_names_in_the_source_are_documented(path: Path) -> None:
    """Reaches the blocks inside a design, too, which the catalog does not name."""
    for node in components(path):
        documented = set(
            re.findall(r"^(\w+) : ", section(ast.get_docstring(node) or "", "Ports"), re.M)
        )
        for part in ast.walk(node):
            if not isinstance(part, ast.Assign) or ast.unparse(part.targets[0]) != "ports":
                continue
            if isinstance(part.value, ast.Dict):
                keys = {key.value for key in part.value.keys if isinstance(key, ast.Constant)}
                assert keys <= documented, f"{node.name}: {keys - documented} not documented"


def test_ports_of_each_design_are_documented() -> None:
    """The docstring's Ports section names each port, no more and no fewer."""
    from gateware.catalog import CATALOG

    assert CATALOG
    for design in CATALOG.values():
        block = design.make()
        text = ast.get_docstring(ast.parse(f'"""{type(block).__doc__}"""')) or ""
        documented = set(re.findall(r"^(\w+) : ", section(text, "Ports"), re.M))
        assert documented == set(block.signature.members), design.name


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_verilog_is_the_same_in_another_process(name: str) -> None:
    from gateware.catalog import CATALOG

    script = f"from gateware.catalog import CATALOG; print(CATALOG[{name!r}].verilog(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == CATALOG[name].verilog()
