"""Engines in the Python package, and their simulation; offered as ``kllm.…``."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from kllm.linear import Floats, Fp16, QuantizedLinear


@dataclass(frozen=True, eq=False)
class Engine:
    """An engine, or any other design of ``kllm verilog --list``, with sizes of its own.

    Parameters
    ----------
    address : str
        The design and what differs, such as ``small:output_lanes=32``.
    """

    address: str

    @cached_property
    def design(self) -> Any:
        """The :class:`gateware.design.Design` behind it."""
        from gateware.points import point

        return point(self.address)

    @property
    def name(self) -> str:
        """The top module's."""
        return self.design.name

    @property
    def parameters(self) -> dict[str, bool | int | str]:
        """All parameters and their values."""
        return self.design.parameters

    def explain(self) -> dict[str, str]:
        """Return what each parameter is and can be, in a sentence or some."""
        from gateware.parameters import parameters

        return {one.name: f"{one.meaning} Can be {one.allowed}." for one in parameters(self.design)}

    def verilog(self) -> str:
        """Return its Verilog."""
        from gateware.cached import cached_verilog

        return cached_verilog(self.design)

    def description(self) -> dict[str, Any]:
        """Return ports, streams, fields, parameters and latencies: the JSON beside the Verilog."""
        return self.design.sidecar()

    def area(self, liberty: Sequence[str] = ()) -> dict[str, Any]:
        """Return what it takes in standard cells; ``kllm synth --json`` writes the same.

        Parameters
        ----------
        liberty : sequence of str
            Cell library, as for ``kllm synth --liberty``; OSU 0.18 µm by default.
        """
        from synth.area.area import as_json
        from synth.area.measure_design import measure
        from synth.libraries.libraries import load

        return as_json(measure(self.design, load(liberty)))

    def cycles(self, inputs: int, outputs: int, outliers: int = 0) -> int:
        """Return the cycles from token to token of a layer.

        Parameters
        ----------
        inputs, outputs : int
            K and N.
        outliers : int
            Kept on each side of a token.
        """
        from gateware.engines.kinds import engine

        found = engine(self._runs_layers().spec)
        found.require_size(inputs=inputs, outputs=outputs, k_top=outliers)
        return found.cycles(inputs, outputs, outliers).interval

    def _runs_layers(self) -> Any:
        from sim.run.run import engine_point

        return engine_point(self.address)


def engine(base: str = "small", **parameters: bool | int | str) -> Engine:
    """Return an engine with parameters of one's own.

    Parameters
    ----------
    base : str
        A design of ``kllm verilog --list``: what is not said is as in it.
    **parameters
        As ``kllm verilog --explain`` lists them, such as ``output_lanes=32``. With ``symmetric``
        or ``activation_bits`` the width of rows follows, unless ``magnitude_bits`` is given.

    Raises
    ------
    InputError
        If there is no such design or parameter, or it cannot have such a value.
    """
    from gateware.points import point
    from gateware.variant import address

    whole = address(base, parameters)
    point(whole)  # or it cannot be
    return Engine(whole)


@dataclass(frozen=True, eq=False)
class Simulation:
    """What the simulated Verilog made of some tokens.

    Parameters
    ----------
    y : (T, N) float16
        Outputs.
    expected : (T, N) float16
        What the golden model makes of them.
    cycles : (T,) int
        Of each token, from its first weights to its last output.
    nonfinite, overflow : bool
        The engine's flags.
    """

    y: Fp16
    expected: Fp16
    cycles: npt.NDArray[np.int64]
    nonfinite: bool
    overflow: bool

    @property
    def exact(self) -> bool:
        """Whether every bit is as the golden model has it."""
        return bool((self.y.view(np.uint16) == self.expected.view(np.uint16)).all())


def simulate(
    engine: Engine, layer: QuantizedLinear, x: Floats, *, simulator: str = "icarus"
) -> Simulation:
    """Run tokens through the Verilog of an engine.

    Parameters
    ----------
    engine : Engine
    layer : QuantizedLinear
        With the engine's form of codebooks, and no larger than it takes.
    x : (T, K) float
    simulator : str
        ``icarus``, soon started; or ``verilator``, for large layers.

    Raises
    ------
    InputError
        If the layer does not fit the engine.
    ToolError
        If the simulator is missing or fails.
    """
    from gateware.engines.kinds import engine as contract_of
    from sim.kit.simulators import choose_simulator
    from sim.run.layer_run import run_layer

    contract, tokens = contract_of(engine._runs_layers().spec), layer.tokens(x)
    contract.require(layer.constants)
    simulator = choose_simulator(simulator)
    run = run_layer(engine.address, layer.constants, tokens, simulator=simulator)
    golden = contract.golden(layer.constants, tokens)
    return Simulation(
        y=run.y.view(np.float16),
        expected=golden.y.view(np.float16),
        cycles=run.cycles,
        nonfinite=run.flags["nonfinite"],
        overflow=run.flags["overflow"],
    )
