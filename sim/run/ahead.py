"""The program that a layer will run in, built in another process while the layer is quantised.

What it builds, it leaves in the cache; whoever wants it waits for it there. Should it fail, who
waits does the same once more, and says why.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gateware.cached import cached_simulation_verilog, is_simulation_known
from gateware.points import point
from golden.base.cache import default_cache
from golden.base.locks import alone_in
from golden.base.process import started
from hw.stream.share import looked_at
from sim.harness.harness import build_harness
from sim.kit.launch import BUILD, wants_waves


@contextmanager
def built_ahead(address: str, simulator: str) -> Iterator[None]:
    """Build a design's program beside what the block does, if it will run in one."""
    bare = simulator == "verilator" and not wants_waves() and default_cache().folder is not None
    if not bare or is_simulation_known(point(address)):
        yield
        return
    command = [sys.executable, "-m", __name__, address]
    with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        yield


def main() -> None:
    """Build the program of the design that the command line names."""
    design = point(sys.argv[1])
    text = cached_simulation_verilog(design)
    folder = BUILD / f"{design.name}-harness"
    with alone_in(folder):
        build_harness(folder, text, design.name, looked_at(design.make()))


if __name__ == "__main__":
    main()
