"""Runs an FP16 unit through millions of cases a second: bare C++ around Verilator's model.

The reference is the C++ compiler's arithmetic, or 128-bit integers for the fused multiply-add:
neither the golden model nor the hardware has a part in it.

    python -m sim.harness.fp16_sweep fp16_add all                  all 2**32 pairs, some minutes
    python -m sim.harness.fp16_sweep fp16_fma random 1000000000
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateware.emit import simulation_verilog
from gateware.points import POINTS
from golden.base.errors import InputError, ToolError
from golden.base.locks import alone_in
from golden.base.process import run_limited
from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_compare import Fp16Compare
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.vector.function_unit import FunctionUnit
from sim.harness.model import build_model
from sim.kit.launch import BUILD

SOURCE = Path(__file__).with_suffix(".cpp")
KINDS = {
    Fp16Add: "add",
    Fp16Compare: "compare",
    Fp16Fma: "fma",
    Fp16Multiply: "multiply",
    FunctionUnit: "function",
}
ALL = 1 << 16


@dataclass(frozen=True)
class Sweep:
    """How many cases were tried, how many went wrong, and the first of those as text."""

    tried: int
    wrong: int
    text: str


def build(name: str, folder: Path | None = None, *, time_limit: float = 300) -> Path:
    """Build the model of a block and the loop around it; return the program.

    Parameters
    ----------
    name : str
        A point of :data:`gateware.points.POINTS`.
    folder : Path, optional
        Where; by default ``build/sim/<name>-sweep``. Two builds must not share one.
    time_limit : float
        Seconds of the processors' time.

    Raises
    ------
    InputError
        If the block is no FP16 unit of two or three operands.
    ToolError
        When Verilator is missing, does not build the model or takes too long.
    """
    if name not in POINTS or POINTS[name].kind not in KINDS:
        names = [key for key, one in POINTS.items() if one.kind in KINDS]
        raise InputError(f"no FP16 unit {name}: there are {', '.join(names)}")
    block: Any = POINTS[name].make()
    folder = folder or BUILD / f"{name}-sweep"
    with alone_in(folder):
        return build_model(
            folder,
            simulation_verilog(block, "unit"),
            "unit",
            SOURCE,
            prefix="Vunit",
            defines=[
                f"-DUNIT_{KINDS[type(block)]}",
                f"-DLATENCY={getattr(block, 'latency', 0)}",
                *["-DSEVERAL"] * hasattr(block, "function"),
            ],
            level="-O2",
            limit=time_limit,
        )


def sweep(program: Path, *words: object, lines: str = "", time_limit: float = 7200) -> Sweep:
    """Run the program of :func:`build`; its source says what the words mean.

    Parameters
    ----------
    program : Path
    *words
        ``all first last``, ``random count seed``, ``corners`` or ``vectors``.
    lines : str
        For ``vectors``: lines of hexadecimal operands, result and flags.
    time_limit : float
        Seconds of the processors' time.
    """
    if lines:
        cases = program.with_name("cases.txt")
        cases.write_text(lines, encoding="ascii")
        words = (*words, cases)
    status, said = run_limited(
        [str(program), *map(str, words)],
        over=f"sweep: not done after {time_limit:g} s, stopped",
        limit=time_limit,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    *cases, last = said.splitlines() or [""]
    if status not in (0, 1) or " wrong of " not in last:
        raise ToolError(f"the sweep ended with status {status}: {last or 'no word'}")
    wrong, tried = last.split(" wrong of ")
    return Sweep(int(tried), int(wrong), "\n".join(cases))


def main() -> int:
    """Sweep the block that the command line names; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sim.harness.fp16_sweep", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("block")
    parser.add_argument("mode", choices=["all", "random", "corners"])
    parser.add_argument("count", type=int, nargs="?", default=10**8, help="of random cases")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    words = {
        "all": ("all", 0, ALL),
        "random": ("random", arguments.count, arguments.seed),
        "corners": ("corners",),
    }
    try:
        done = sweep(build(arguments.block), *words[arguments.mode])
    except (InputError, ToolError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    print(done.text, end="\n" if done.text else "")
    print(f"{arguments.block}: {done.wrong:,} of {done.tried:,} wrong")
    return int(done.wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
