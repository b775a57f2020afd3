"""The set-up script, run in a folder of its own on a machine made of stand-ins."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from synth.libraries.tools import LIBERTY_FILE

ROOT = Path(__file__).resolve().parent.parent
SYSTEM = "bash cat dirname env flock head id mkdir rm sha256sum touch true".split()
TOOLS = "iverilog g++ make perl sta riscv64-unknown-elf-gcc".split()
# Where the program is called otherwise.
PACKAGES = {"sta": "opensta", "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf"}

# Answers as a Python does, notes what it was asked, and makes a venv that holds itself.
PYTHON = """#!/usr/bin/env bash
echo "${0##*/} $*" >>"$LOG"
case "$*" in
    *version_info*"< (3, 11)"*) exit "${FAKE_OLD:-0}" ;;
    *version_info*) echo 3.11 ;;
    --version) echo Python 3.9.2 ;;
    *ensurepip*) exit "${FAKE_NO_VENV:-0}" ;;
    "-m venv "*)
        mkdir -p "$3/bin"
        cat "$0" >"$3/bin/python"
        cat "$FIND_LIBPYTHON" >"$3/bin/find_libpython"
        /bin/chmod +x "$3/bin/python" "$3/bin/find_libpython" ;;
    *"-r $FAKE_PIP_FAILS"*) exit 1 ;;
esac
"""
# Installs by making a stand-in; knows no package before an update.
APT_GET = """#!/usr/bin/env bash
echo "apt-get $*" >>"$LOG"
[ "$1" != update ] || { touch "$LOG.updated"; exit 0; }
[ -e "$LOG.updated" ] || { echo "E: Unable to locate package" >&2; exit 100; }
for name in "$@"; do
    case "$name" in
        install | -*) ;;
        qflow-*) touch "$LIBERTY" ;;
        *) echo '#!/bin/sh' >"$TOOLS/$name"; /bin/chmod +x "$TOOLS/$name" ;;
    esac
done
"""


class Machine:
    """A checkout and a PATH of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.checkout, self.tools = folder / "checkout", folder / "tools"
        self.log, self.liberty = folder / "log", folder / "cells.lib"
        shutil.copytree(ROOT / ".ci", self.checkout / ".ci")
        shutil.copy(ROOT / "pyproject.toml", self.checkout)
        script = self.checkout / ".ci" / "setup"
        text = script.read_text(encoding="utf-8")
        assert str(LIBERTY_FILE) in text, "set-up and synthesis disagree about the cell library"
        script.write_text(text.replace(str(LIBERTY_FILE), str(self.liberty)), encoding="utf-8")
        self.tools.mkdir()
        self.liberty.touch()
        for name in SYSTEM:
            (self.tools / name).symlink_to(shutil.which(name) or name)
        for name in (*TOOLS, "ccache"):
            self.add(name, "#!/bin/sh\n")
        self.add("python3", PYTHON)
        self.add("find_libpython", "#!/bin/sh\necho /lib/libpython.so\n")

    def add(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def remove(self, *names: str) -> None:
        """Take programs off PATH."""
        for name in names:
            (self.tools / name).unlink()

    def set_up(self, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script; the log then holds what this run asked for."""
        self.log.unlink(missing_ok=True)
        variables = {
            "PATH": str(self.tools),
            "TOOLS": str(self.tools),
            "LOG": str(self.log),
            "LIBERTY": str(self.liberty),
            "FIND_LIBPYTHON": str(self.tools / "find_libpython"),
            "FAKE_PIP_FAILS": "nothing",
        }
        return subprocess.run(
            ["bash", str(self.checkout / ".ci" / "setup")],
            env=variables | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def asked(self) -> str:
        """Return what the stand-ins were asked in the last run."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def as_user(machine: Machine) -> None:
    machine.remove("id")
    machine.add("id", "#!/bin/sh\necho 1000\n")


def test_first_run_installs_and_second_run_asks_for_nothing(machine: Machine) -> None:
    first = machine.set_up()
    assert first.returncode == 0, first.stderr
    for asked in ("requirements.lock", "model.lock", "--no-deps -r", "--require-hashes", "--edit"):
        assert asked in machine.asked()
    second = machine.set_up()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert machine.asked() == ""


@pytest.mark.parametrize("file", [".ci/requirements.lock", ".ci/model.lock", "pyproject.toml"])
def test_a_changed_pin_installs_into_the_same_venv(machine: Machine, file: str) -> None:
    machine.set_up()
    with (machine.checkout / file).open("a", encoding="utf-8") as text:
        text.write("# changed\n")
    assert machine.set_up().returncode == 0
    assert "requirements.lock" in machine.asked()
    assert "-m venv" not in machine.asked()


@pytest.mark.parametrize("lock", [".ci/requirements.lock", ".ci/model.lock"])
def test_a_failed_run_is_repaired_by_the_next_one(machine: Machine, lock: str) -> None:
    failed = machine.set_up(FAKE_PIP_FAILS=lock)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: pip could not install")
    assert machine.set_up().returncode == 0
    assert "-m venv" in machine.asked(), "what a failed pip left behind must not be trusted"
    machine.set_up()
    assert machine.asked() == ""


@pytest.mark.parametrize("tool", TOOLS)
def test_missing_tool_without_apt_get_is_one_sentence(machine: Machine, tool: str) -> None:
    machine.remove(tool)
    done = machine.set_up()
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {PACKAGES.get(tool, tool)} missing, and there is no")
    assert done.stderr.count("\n") == 1


def test_missing_library_without_root_names_the_command(machine: Machine) -> None:
    machine.add("apt-get", APT_GET)
    as_user(machine)
    machine.liberty.unlink()
    done = machine.set_up()
    assert done.returncode == 1
    assert "run `sudo apt-get install qflow-tech-osu018`" in done.stderr
    assert "apt-get" not in machine.asked()


def test_root_installs_all_that_is_missing_after_an_update(machine: Machine) -> None:
    machine.add("apt-get", APT_GET)
    machine.remove("id", "iverilog", "perl", "ccache")
    machine.add("id", "#!/bin/sh\necho 0\n")
    machine.liberty.unlink()
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    lines = [line for line in machine.asked().splitlines() if line.startswith("apt-get")]
    assert [line.split()[1] for line in lines] == ["install", "update", "install"]
    assert "--simulate" in lines[0], "a first try that fails would alarm people"
    assert lines[-1].endswith("iverilog perl qflow-tech-osu018 ccache")
    assert machine.liberty.exists()


def test_ccache_alone_is_not_asked_for(machine: Machine) -> None:
    machine.add("apt-get", APT_GET)
    machine.remove("ccache")
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    assert "apt-get" not in machine.asked()


def test_sudo_without_password_is_used(machine: Machine) -> None:
    machine.add("apt-get", APT_GET)
    machine.add("sudo", '#!/bin/sh\necho "sudo $*" >>"$LOG"\nshift\nexec "$@"\n')
    as_user(machine)
    machine.remove("iverilog")
    assert machine.set_up().returncode == 0
    assert "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install" in machine.asked()


def test_apt_get_that_cannot_install_names_the_package(machine: Machine) -> None:
    machine.add("apt-get", "#!/bin/sh\nexit 100\n")
    machine.remove("id", "iverilog")
    machine.add("id", "#!/bin/sh\necho 0\n")
    done = machine.set_up()
    assert done.returncode == 1
    assert "error: apt-get could not install iverilog" in done.stderr


def no_python(machine: Machine) -> dict[str, str]:
    machine.remove("python3")
    return {}


CASES: dict[str, tuple[Callable[[Machine], dict[str, str]], str]] = {
    "old": (lambda machine: {"FAKE_OLD": "1"}, "found Python 3.9.2 as python3"),
    "none": (no_python, "Python 3.11 or newer is needed, found none"),
    "no venv": (lambda machine: {"FAKE_NO_VENV": "1"}, "python3-venv"),
    "wrong name": (lambda machine: {"PYTHON": "no python"}, "found none"),
}


@pytest.mark.parametrize("case", CASES)
def test_unusable_python_is_one_sentence(machine: Machine, case: str) -> None:
    change, sentence = CASES[case]
    done = machine.set_up(**change(machine))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_missing_shared_python_names_its_package(machine: Machine) -> None:
    machine.add("find_libpython", "#!/bin/sh\n")
    done = machine.set_up()
    assert done.returncode == 1
    assert "libpython3.11 missing" in done.stderr


def test_own_cell_library_that_is_not_there_is_named(machine: Machine) -> None:
    machine.liberty.unlink()
    gone = str(machine.liberty) + ".own"
    done = machine.set_up(KLLM_LIBERTY=gone)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"KLLM_LIBERTY names {gone}" in done.stderr


def test_own_cell_library_needs_no_package(machine: Machine) -> None:
    own = machine.liberty.rename(machine.liberty.with_name("own.lib"))
    assert machine.set_up(KLLM_LIBERTY=str(own)).returncode == 0


def test_locks_are_complete_and_name_no_host() -> None:
    for name in ("requirements.lock", "model.lock"):
        text = (ROOT / ".ci" / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins = [line for line in text.splitlines() if "==" in line and not line.startswith("#")]
        assert pins
        assert all(pin.endswith("\\") for pin in pins), "a pin without a hash"


@pytest.mark.parametrize("script", ["setup", "run", "lock"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / ".ci" / script, os.X_OK)
