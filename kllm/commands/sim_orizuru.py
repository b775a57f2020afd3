"""The command ``kllm sim orizuru``."""

from pathlib import Path
from typing import Annotated

import typer

from golden.base.errors import ToolError
from kllm.options import Json, Simulator
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm sim orizuru --input x.npy --k 21  -  16 values per beat

kllm sim orizuru --input x.npy --k 21 --per-beat 32 --dump found.npz --json figures.json
"""


def command(
    vectors: Annotated[
        Path, typer.Option("--input", metavar="FILE", help="Vectors: .npy of numbers, (T, N).")
    ],
    k: Annotated[int, typer.Option(help="Outliers on each side, 1 to N.")],
    engine: Annotated[
        str,
        typer.Option(
            help="stream (ours), unit (the paper's, N a power of two), tree (the paper's, any N),"
            " bitonic, quick_select (baselines)."
        ),
    ] = "stream",
    per_beat: Annotated[int, typer.Option(help="Values per beat: a power of two to 256.")] = 16,
    simulator: Simulator = "verilator",
    json_file: Json = None,
    dump: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write max_index, max_value, min_index, min_value (T, k) and cycles (T,).",
        ),
    ] = None,
) -> None:
    """Find the largest and smallest values of each vector with an outlier engine.

    Values are rounded to FP16. The simulated Verilog's answers are compared with a stable sort;
    the exit status is 1 if one differs. NaN and infinity count as zero and are reported.
    """
    import io

    import numpy as np

    from gateware.outlier_engines import make_outlier_engine
    from golden.base.console import working
    from golden.base.files import require_writable, write_whole
    from hw.stream.share import looked_at
    from sim.kit.simulators import choose_simulator
    from sim.outliers.orizuru_run import (
        outlier_spec,
        read_vectors,
        result_arrays,
        run_engine,
        summary,
    )
    from sim.outliers.show import show_run

    simulator = choose_simulator(simulator)
    x = read_vectors(vectors)
    looked_at(make_outlier_engine(engine, outlier_spec(x.shape[1], k, per_beat)))
    require_json(json_file)
    require_writable(dump)
    with working() as say:
        say(f"simulation on {simulator}")
        run = run_engine(engine, x, k, per_beat, simulator=simulator)
    figures = summary(engine, x, run, k, per_beat)
    deliver(json_file, figures, lambda: show_run(figures))
    if run.waves:
        typer.echo(f"waveform: {run.waves}", err=True)
    if dump:
        file = io.BytesIO()
        np.savez(file, **result_arrays(x, run))  # pyright: ignore[reportArgumentType]
        write_whole(dump, file.getvalue())
    if figures["mismatches"]:
        raise ToolError(f"{figures['mismatches']} outliers differ from the stable sort's")
