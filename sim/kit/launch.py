"""Build a design for a simulator and run a cocotb bench on it."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from amaranth.lib import wiring

from gateware.emit import simulation_verilog, verilog
from gateware.points import point
from golden.base.errors import InputError, ToolError
from golden.base.files import build_folder
from golden.base.locks import alone_in
from sim.kit import COMPONENT
from sim.kit.builds import keep, whole_build
from sim.kit.simulators import LimitedVerilator, choose_simulator, control_file, make_runner

ROOT = Path(__file__).resolve().parents[2]
BUILD = build_folder("sim")
SEED = 1  # unless COCOTB_RANDOM_SEED says another
REASON_LINES = 12  # of what a failed test said
TIMESCALE = ("1ns", "1ps")  # Amaranth writes none


class BenchError(ToolError):
    """A bench found a fault, or nothing to look at."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A bench that passed.

    Parameters
    ----------
    folder : Path
        Holds the Verilog, the logs and what the bench wrote.
    simulator : str
        ``icarus`` or ``verilator``.
    seed : int
        Repeats the run.
    tests : tuple of str
        The cocotb tests that ran.
    waves : Path or None
        The waveform, if one was recorded.
    """

    folder: Path
    simulator: str
    seed: int
    tests: tuple[str, ...]
    waves: Path | None


def simulate(
    name: str,
    source: str,
    bench: str,
    *,
    simulator: str | None = None,
    seed: int | None = None,
    waves: bool | None = None,
    environment: Mapping[str, str] | None = None,
    top: str | None = None,
    time_limit: float = 300,
    optimise: bool = False,
    watch: Callable[[], None] | None = None,
) -> Run:
    """Build a design and run every cocotb test of a bench on it.

    Parameters
    ----------
    name : str
        Names the run's folder, ``build/sim/<name>-<simulator>``, so that runs side by side do
        not meet and a waveform is where its name says.
    source : str
        Verilog.
    bench : str
        Module, ``sim.benches.token.bench_token_scale`` for instance.
    simulator : str, optional
        By default what SIM says, or Icarus.
    seed : int, optional
        By default what COCOTB_RANDOM_SEED says, or 1.
    waves : bool, optional
        Record a waveform; by default if WAVES is 1. FST on Icarus, VCD on Verilator.
    environment : mapping, optional
        More environment variables for the bench.
    top : str, optional
        Top module; by default ``name``.
    time_limit : float
        Seconds of the processors' time, for the build and again for the run.
    optimise : bool
        Spend longer on Verilator's build, for a run of more than a few seconds.
    watch : callable, optional
        Called about ten times a second while build and run last.

    Raises
    ------
    BenchError
        Naming each failed test and the seed that repeats it.
    ToolError
        When the simulator is missing, does not build the design or takes too long.
    """
    top = top or name
    simulator = choose_simulator(simulator)
    seed = _seed() if seed is None else seed
    waves = wants_waves() if waves is None else waves
    runner = make_runner(simulator)
    with alone_in(BUILD / f"{name}-{simulator}") as folder:
        sources = [keep(folder / f"{top}.v", source)]

        runner.log.setLevel("ERROR")
        runner.task = f"{name} on {simulator}"
        runner.limit = time_limit
        runner.watch = watch
        build_args = []
        if isinstance(runner, LimitedVerilator):
            runner.optimise = optimise
            # A control file is read before what it is about. Width warnings are Amaranth's style.
            sources.insert(0, keep(folder / "control.vlt", control_file(source, top)))
            build_args = ["-Wno-fatal"]
        # The runner would ask WAVES itself, with another list of what means yes.
        runner.variables = {**runner.variables, **(environment or {})}
        results = folder / "results.xml"
        results.unlink(missing_ok=True)
        with _environment({"WAVES": str(int(waves)), "COCOTB_RANDOM_SEED": str(seed)}):
            with whole_build(folder):
                runner.build(
                    sources=sources,
                    hdl_toplevel=top,
                    build_dir=folder,
                    timescale=TIMESCALE,
                    build_args=build_args,
                    always=True,
                    log_file=folder / "build.log",
                )
            try:
                with contextlib.suppress(SystemExit):  # some test failed: the results say which
                    runner.test(
                        hdl_toplevel=top,
                        hdl_toplevel_lang="verilog",
                        test_module=bench,
                        build_dir=folder,
                        test_dir=folder,
                        results_xml=str(results),
                        log_file=folder / "run.log",
                    )
            except ToolError:
                if not results.exists():
                    raise
        tests = check_results(results, f"{runner.task}, seed {seed}")
    recorded = folder / ("dump.vcd" if simulator == "verilator" else f"{top}.fst")
    return Run(
        folder=folder,
        simulator=simulator,
        seed=seed,
        tests=tests,
        waves=recorded if waves else None,
    )


def text_of(component: wiring.Component, name: str) -> str:
    """Return a component's Verilog for a run: every name where a waveform is recorded."""
    if wants_waves():
        return verilog(component, name, every_name=True)
    return simulation_verilog(component, name)


def run_bench(
    name: str,
    *,
    source: str | None = None,
    folder: str | None = None,
    simulator: str | None = None,
    seed: int | None = None,
) -> Run:
    """Run the bench of a point of :data:`gateware.points.POINTS`.

    Parameters
    ----------
    name : str
    source : str, optional
        What runs in place of the component's own Verilog: its gates, say.
    folder : str, optional
        Names the run's folder, as in :func:`simulate`; by default ``name``.
    simulator : str, optional
    seed : int, optional

    Raises
    ------
    InputError
        If there is no such point, or it has no bench.
    ToolError
        As :func:`simulate`.
    """
    one = point(name)
    if not one.bench_module:
        raise InputError(f"the design {name} has no bench: `kllm gates --list` has those with one")
    simulator, seed = choose_simulator(simulator), _seed() if seed is None else seed
    try:
        return simulate(
            folder or name,
            text_of(one.make(), name) if source is None else source,
            one.bench_module,
            simulator=simulator,
            seed=seed,
            environment={COMPONENT: name},
            top=name,
        )
    except BenchError as error:
        setting = f"SIM={simulator} COCOTB_RANDOM_SEED={seed}"
        raise BenchError(
            f"{error}; again with `{setting} pytest 'tests/test_benches.py::test_bench[{name}]'`"
        ) from None


def check_results(results: Path, task: str) -> tuple[str, ...]:
    """Return the names of the tests that ran.

    Raises
    ------
    BenchError
        If one failed, or none ran.
    """
    log = f"see {results.parent / 'run.log'}"
    if not results.exists():
        raise BenchError(f"{task}: the simulation left no results; {log}")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    if not cases:
        raise BenchError(f"{task}: the bench has no tests; {log}")
    failures = [
        f"{case.get('name')} ({_reason(case)})"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    if failures:
        raise BenchError(f"{task}: {'; '.join(failures)}; {log}")
    if all(case.find("skipped") is not None for case in cases):
        raise BenchError(f"{task}: every test was skipped; {log}")
    return tuple(str(case.get("name")) for case in cases)


def _reason(case: ElementTree.Element) -> str:
    """Return what a failed test said: which values, expected and got, but no whole arrays."""
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            text = found.get("error_msg") or found.get("message") or found.text or ""
            said = [line.strip() for line in text.splitlines() if line.strip()]
            # After the first values that differ NumPy goes on with statistics of all of them.
            short = itertools.takewhile(lambda line: not line.startswith("Max absolute"), said)
            return " ".join(itertools.islice(short, REASON_LINES)) or "no reason given"
    return ""


def wants_waves() -> bool:
    """Return whether the environment asks for waveforms: WAVES is neither empty nor 0."""
    return os.environ.get("WAVES", "0") not in ("", "0")


def _seed() -> int:
    text = os.environ.get("COCOTB_RANDOM_SEED") or str(SEED)
    if not text.isdecimal():
        raise InputError(f"COCOTB_RANDOM_SEED must be a whole number from 0, got {text!r}")
    return int(text)


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for a while: the runners read some of their own process."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
