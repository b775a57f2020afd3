"""Outlier engines on one's own vectors: what they found, and when."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gateware.outlier_engines import make_outlier_engine
from golden.base.errors import InputError, ToolError
from golden.base.locks import alone_in
from golden.exact.fp16 import BitArray, flush_nonfinite, is_finite, key, to_bits
from golden.exact.outliers import select_outliers
from golden.exact.spec import IntArray
from golden.models.layer_files import read_activations
from golden.quantise.quantize import tokens_to_fp16
from hw.topk.orizuru.orizuru_spec import OrizuruSpec
from sim.kit.launch import BUILD, simulate, text_of

TASK, FOUND = "KLLM_TASK", "KLLM_FOUND"  # the bench's files


@dataclass(frozen=True, kw_only=True)
class OutlierRun:
    """What an engine found in T tokens.

    Parameters
    ----------
    positions : (T, 2 k) int64
        As :func:`golden.exact.outliers.select_outliers` has them, also of an engine that sends them
        in reverse.
    cycles : (T,) int64
        From the cycle that takes a token's first beat to the one by which both sides have offered
        an outlier. All engines but the trees know all of them by then.
    drained : (T,) int64
        The same to the cycle that takes its last outlier.
    intervals : (T - 1,) int64
        From one token's first beat to the next one's.
    waves : Path or None
        The waveform, if one was recorded.
    """

    positions: IntArray
    cycles: IntArray
    drained: IntArray
    intervals: IntArray
    waves: Path | None = None

    def mismatches(self, x: BitArray) -> int:
        """Return how many outliers of tokens (T, N) differ from the definition's.

        NaN and infinity count as zero.
        """
        k = self.positions.shape[1] // 2
        expected = select_outliers(key(flush_nonfinite(x)), k)
        return int((self.positions != expected).sum())


def outlier_spec(inputs: int, k: int, values_per_beat: int) -> OrizuruSpec:
    """Return the size of an engine for tokens of ``inputs`` activations.

    Raises
    ------
    InputError
        If it is out of range.
    """
    if not 1 <= k <= inputs:
        raise InputError(f"--k must be from 1 to the vectors' length, {inputs}; got {k}")
    try:
        return OrizuruSpec(
            inputs_max=max(inputs, 2), outliers_max=k, values_per_beat=values_per_beat
        )
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error


def read_vectors(path: Path) -> BitArray:
    """Return the FP16 patterns (T, N) of a ``.npy`` file, NaN and infinities as they are.

    Raises
    ------
    InputError
        If it is missing, truncated, or of another type or shape, or a number does not fit FP16.
    """
    array = read_activations(path)
    tokens_to_fp16(str(path), np.where(np.isfinite(array), array, 0))
    return to_bits(array)


def run_engine(
    engine: str, x: BitArray, k: int, values_per_beat: int, *, simulator: str
) -> OutlierRun:
    """Simulate an outlier engine, by its name, on tokens (T, N).

    Raises
    ------
    InputError
        If a size is out of range.
    ToolError
        If the simulation fails.
    """
    spec = outlier_spec(x.shape[1], k, values_per_beat)
    name = f"outliers_{engine}_{x.shape[1]}_{k}_{values_per_beat}"
    text = text_of(make_outlier_engine(engine, spec), name)
    with alone_in(BUILD / f"{name}-{simulator}") as folder:
        task, found = folder / "task.npz", folder / "found.npz"
        found.unlink(missing_ok=True)
        np.savez(
            task, engine=engine, keys=key(flush_nonfinite(x)), k=k, values_per_beat=values_per_beat
        )
        ran = simulate(
            name,
            text,
            "sim.benches.run.bench_orizuru_run",
            simulator=simulator,
            environment={TASK: str(task), FOUND: str(found)},
            time_limit=3600,
            optimise=True,
        )
        if not found.exists():
            raise ToolError(f"{name} on {simulator}: the bench left no result")
        with np.load(found, allow_pickle=False) as file:
            first = file["first_beat"]
            return OutlierRun(
                positions=file["positions"],
                cycles=file["first_result"] - first,
                drained=file["last_result"] - first,
                intervals=np.diff(first),
                waves=ran.waves,
            )


def result_arrays(x: BitArray, run: OutlierRun) -> dict[str, npt.NDArray[Any]]:
    """Return what is written of a run: positions, values and cycles."""
    k = run.positions.shape[1] // 2
    values = np.take_along_axis(flush_nonfinite(x), run.positions, axis=1).view(np.float16)
    return {
        "max_index": run.positions[:, :k],
        "max_value": values[:, :k],
        "min_index": run.positions[:, k:],
        "min_value": values[:, k:],
        "cycles": run.cycles,
    }


def summary(
    engine: str, x: BitArray, run: OutlierRun, k: int, values_per_beat: int
) -> dict[str, Any]:
    """Return the figures of a run, ready for JSON."""
    finite = is_finite(x)
    return {
        "engine": engine,
        "tokens": len(x),
        "N": x.shape[1],
        "k": k,
        "values_per_beat": values_per_beat,
        "mismatches": run.mismatches(x),
        "nonfinite": int((~finite).sum()),
        "nonfinite_tokens": int((~finite).any(axis=1).sum()),
        "cycles": _span(run.cycles),
        "cycles_to_last_outlier": _span(run.drained),
        "cycles_from_token_to_token": _span(run.intervals) if len(run.intervals) else None,
    }


def _span(values: IntArray) -> dict[str, float]:
    return {
        "mean": float(values.mean()),
        "least": int(values.min()),
        "most": int(values.max()),
    }
