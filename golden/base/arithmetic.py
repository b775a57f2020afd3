"""The same sums on every machine: which of its kernels NumPy multiplies matrices with.

OpenBLAS has one for each kind of processor, and each adds in an order of its own. The last bits
of a sum decide some roundings of a quantised model, these decide others behind them, and so a
perplexity moves by some hundredths from machine to machine.
"""

import os
import sys
from pathlib import Path

FLAGS = Path("/proc/cpuinfo")
NEEDED = {"avx2", "fma"}
KERNEL = {"OPENBLAS_CORETYPE": "Haswell"}  # in steps of 256 bits, which most processors have
THREADS = {"OPENBLAS_NUM_THREADS": "1"}  # more would part the sums


def pin_arithmetic() -> None:
    """Choose one kernel and one thread, unless the environment says otherwise.

    Before NumPy is there: once it is, nothing can be chosen any more, and nothing is. Where the
    kernel cannot run, sums stay as the machine has them.
    """
    if "numpy" in sys.modules:
        return
    for name, value in (THREADS | KERNEL if _can_run() else THREADS).items():
        os.environ.setdefault(name, value)


def _can_run() -> bool:
    try:
        lines = FLAGS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    return any(line.startswith("flags") and set(line.split()) >= NEEDED for line in lines)
