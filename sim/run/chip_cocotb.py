"""One run of a chip's Verilog under cocotb on Icarus: image in, image out."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gateware.emit import simulation_verilog
from gateware.points import point
from golden.base.errors import ToolError
from golden.base.files import make_folder
from sim.harness.chip_run import ChipRun, Chosen, Task
from sim.kit.launch import BUILD, simulate

TASK, RESULT, CHOSEN, DESIGN = "KLLM_TASK", "KLLM_RESULT", "KLLM_CHOSEN", "KLLM_DESIGN"
BENCH = "sim.benches.run.bench_chip_run"
SECONDS = 24 * 3600  # of the processor's time: a chip takes minutes for a token


def run_in_icarus(
    name: str, task: Task, *, watch: Callable[[Chosen], object] = lambda chosen: None
) -> ChipRun:
    """Carry out a run; of the memory's model, only pauses and their seed are heeded.

    Parameters
    ----------
    name : str
        A design with the ports of :class:`hw.chip.chip.Chip`.
    task : Task
    watch : callable, optional
        Told each token when it is chosen.

    Raises
    ------
    ToolError
        When Icarus is missing, the chip breaks a rule of the bus, or is not done in time.
    """
    design, address = point(name), name
    name = design.name
    folder = make_folder(BUILD / f"{name}-run-icarus")
    files = {TASK: "task.npz", RESULT: "result.npz", CHOSEN: "chosen.jsonl"}
    paths = {key: folder / file for key, file in files.items()}
    for path in paths.values():
        path.unlink(missing_ok=True)
    start = task.start
    said = {name: getattr(start, name) for name in ("program", "first", "known", "limit")}
    said |= {"end_token": start.end_token or 0, "ends": int(start.end_token is not None)}
    np.savez(
        paths[TASK],
        image=np.frombuffer(task.image, np.uint8),
        run=json.dumps(said),
        tokens=start.tokens,
        cycles=task.cycles,
        stall=task.memory.stall,
    )
    told = 0

    def look() -> None:
        nonlocal told
        lines = _lines(paths[CHOSEN])
        for one in lines[told:]:
            watch(one)
        told = len(lines)

    simulate(
        f"{name}-run",
        simulation_verilog(design.make(), name),
        BENCH,
        simulator="icarus",
        seed=task.memory.seed,
        environment={DESIGN: address, **{key: str(path) for key, path in paths.items()}},
        top=name,
        time_limit=SECONDS,
        watch=look,
    )
    look()
    if not paths[RESULT].exists():
        raise ToolError(f"{name} on Icarus: the bench left no result")
    with np.load(paths[RESULT], allow_pickle=False) as found:
        return ChipRun(
            memory=found["memory"].tobytes(),
            chosen=_lines(paths[CHOSEN]),
            fault=str(found["fault"]),
            **{key: int(found[key]) for key in ("cycles", "read_bytes", "write_bytes")},
        )


def _lines(path: Path) -> list[Chosen]:
    """Return the tokens that are there so far; a line that is being written is not one yet."""
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    return [Chosen(**json.loads(line)) for line in whole]
