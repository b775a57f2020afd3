"""README and docs/: the example runs and prints what it says; commands and files exist."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.engines.kinds import is_engine
from gateware.points import CATALOGUE
from golden.base.errors import InputError
from synth.report.engines import markdown

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
LONGEST_EXAMPLE = 20
LONGEST_README = 150


def test_example_prints_what_its_comment_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.S)
    code = [line for line in example.splitlines() if line.strip()]
    assert len(code) <= LONGEST_EXAMPLE
    (said,) = re.findall(r"print\(.*# (.*)", example)
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == said, done.stderr


@pytest.mark.parametrize("line", re.findall(r"^(?:WAVES=1 )?kllm (.*?)\s*(?:#.*)?$", TEXT, re.M))
def test_commands_have_the_options_that_are_used(line: str) -> None:
    words = line.split()
    app = kllm.app.build_app()
    groups = [group.name for group in app.registered_groups]
    commands = [command.name for command in app.registered_commands]
    assert words[0] in groups + commands
    path = words[: 2 if words[0] in groups else 1]
    said = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"}).output
    for option in (word for word in words if word.startswith("-")):
        assert option in said


def test_files_that_are_named_exist() -> None:
    for path in re.findall(r"[`(]((?:golden|hw|gateware|sim|synth|kllm|tests)/[\w./]*)[`)]", TEXT):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Follow the links between pages, each from the folder of the page that it is on."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_readme_is_short() -> None:
    assert len(PAGES[0].read_text(encoding="utf-8").splitlines()) <= LONGEST_README


def test_table_of_engines_is_what_was_measured() -> None:
    kept = json.loads((ROOT / "docs" / "engines.json").read_text(encoding="utf-8"))
    assert markdown(kept) in PAGES[0].read_text(encoding="utf-8")
    assert [row["design"] for row in kept] == [n for n, one in CATALOGUE.items() if is_engine(one)]
    baseline = json.loads((ROOT / "synth" / "baseline.json").read_text(encoding="utf-8"))["designs"]
    for row in kept:
        assert row["ge"] == pytest.approx(baseline[row["design"]]["ge"], rel=1e-3)


def test_engines_from_a_file(tmp_path: Path) -> None:
    def run(*arguments: str):
        return CliRunner().invoke(
            kllm.app.build_app(), ["engines", *arguments], env={"COLUMNS": "160"}
        )

    kept = ROOT / "docs" / "engines.json"
    assert run("--from", str(kept), "--markdown").output.strip() in TEXT
    assert "minilm_symmetric" in run("--from", str(kept)).output
    (tmp_path / "x.json").write_text('{"a": 1}')
    for path in (tmp_path / "x.json", tmp_path / "none.json"):
        assert isinstance(run("--from", str(path)).exception, InputError)
    assert "near are minilm" in str(run("--energy", "minilmm").exception)
