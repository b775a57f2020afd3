"""The kernel that NumPy multiplies matrices with: chosen where accuracy is measured, only there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import golden.base.arithmetic
from golden.base.arithmetic import FLAGS, KERNEL, pin_arithmetic

ROOT = Path(golden.base.arithmetic.__file__).parents[2]
# What a command is refused for must be seen with NumPy loaded; then OpenBLAS is asked what it is.
SCRIPT = """
import ctypes, sys
from kllm.app import build_app
try:
    build_app()(sys.argv[1:])
except ValueError as error:
    assert "nope" in str(error), error
assert "numpy" in sys.modules
maps = open("/proc/self/maps").read().split()
library = ctypes.CDLL(next((word for word in maps if "scipy_openblas64" in word)))
library.scipy_openblas_get_corename64_.restype = ctypes.c_char_p
print(library.scipy_openblas_get_corename64_().decode())
print(library.scipy_openblas_get_num_threads64_())
"""


def kernel(*arguments: str, **variables: str) -> list[str]:
    """Return the kernel and the threads of a process that runs a command."""
    if not golden.base.arithmetic._can_run():
        pytest.skip("the kernel cannot run here")
    rest = {n: v for n, v in os.environ.items() if not n.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=ROOT,
        env=rest | variables,
        capture_output=True,
        text=True,
    )
    if "StopIteration" in done.stderr:
        pytest.skip("this NumPy has another library than OpenBLAS")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("command", [["eval"], ["study"], ["curve", "width"]])
def test_accuracy_is_measured_with_one_kernel(command: list[str]) -> None:
    """Whatever the processor has, and however many cores."""
    assert kernel(*command, "--layers=nope") == ["Haswell", "1"]


def test_the_environment_has_the_last_word() -> None:
    asked = {"OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "2"}
    assert kernel("study", "--layers=nope", **asked)[0] == "Nehalem"


def test_other_commands_keep_what_the_machine_has() -> None:
    script = (
        "import os, kllm.app\ntry: kllm.app.build_app()(['verilog', '--list'])\n"
        "except SystemExit: pass\nprint([n for n in os.environ if n.startswith('OPENBLAS')])"
    )
    rest = {n: v for n, v in os.environ.items() if not n.startswith("OPENBLAS")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=rest, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize(
    ("flags", "pinned"),
    [
        ("flags\t\t: fpu sse2 avx avx2 fma\n", True),
        ("flags\t\t: fpu sse2 avx avx2\n", False),
        ("model name : avx2 fma\nflags : fpu sse2\n", False),
        ("Features : fp asimd\n", False),
        (None, False),
    ],
)
def test_only_a_kernel_that_can_run(
    flags: str | None, pinned: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert Path("/proc/cpuinfo") == FLAGS
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(flags)
    monkeypatch.setattr(golden.base.arithmetic, "FLAGS", tmp_path / "cpuinfo")
    monkeypatch.setattr(os, "environ", {})
    pin_arithmetic()
    assert not os.environ, "NumPy is there: nothing can be chosen any more"
    monkeypatch.delitem(sys.modules, "numpy", raising=False)
    pin_arithmetic()
    assert os.environ == {"OPENBLAS_NUM_THREADS": "1"} | (KERNEL if pinned else {})
