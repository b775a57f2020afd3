"""The main job: quantise a layer, simulate the engine that runs it, compare, measure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gateware.engines.contract import Contract
from gateware.engines.kinds import engine, is_engine
from gateware.own import is_own
from gateware.point import Point
from gateware.points import CATALOGUE, point
from gateware.sizes import SUFFIX, engine_name
from golden.accuracy.error_split import ErrorSplit, split_errors
from golden.base.errors import InputError
from golden.exact.codebook import A_INDEX_BITS, require_index_bits
from golden.exact.linear import QuantizedLinear, Result
from golden.exact.outliers import outliers_per_side
from golden.models.layer_source import LayerSource
from golden.quantise.recipes.table import DEFAULT, require_recipe
from sim.run.ahead import built_ahead
from sim.run.layer_result import LayerRun
from sim.run.layer_run import run_layer
from sim.run.quantised import quantised

Progress = Callable[[str, float | None], None]  # what is being done, and which share of it


def engine_point(address: str) -> Point:
    """Return a design point that runs layers; raise InputError if it does not, or is not."""
    found = point(address)
    if not is_engine(found):
        engines = ", ".join(name for name, made in CATALOGUE.items() if is_engine(made))
        raise InputError(f"the design {address} does not run a layer: choose one of {engines}")
    return found


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to run a layer with.

    Parameters
    ----------
    design : str
        Design point, with or without the suffix of symmetric codebooks; or the address of one with
        sizes of its own (:mod:`gateware.own`), which is as it says.
    simulator : str
        ``icarus`` or ``verilator``.
    weight_bits : int
        2, 3 or 4.
    activation_bits : int
        2 to 5, or 8; more than 4 chooses the design of that form.
    symmetric : bool
        Symmetric codebooks.
    outlier_share : float
        Share of a token's activations kept as outliers on each side.
    recipe : str
        How weights are quantised, see :mod:`golden.quantise.recipes.table`.
    seed : int
        Chooses the text, and seeds the simulator.

    Raises
    ------
    InputError
        If a value is out of range, or there is no such design.
    """

    design: str
    simulator: str
    weight_bits: int = 4
    activation_bits: int = 4
    symmetric: bool = False
    outlier_share: float = 0.005
    recipe: str = DEFAULT
    seed: int = 0

    def __post_init__(self) -> None:
        require_index_bits("--bits-w", self.weight_bits)
        require_index_bits("--bits-a", self.activation_bits, A_INDEX_BITS)
        outliers_per_side(1, self.outlier_share)
        require_recipe(self.recipe)
        if self.seed < 0:
            raise InputError(f"the seed must be 0 or more, got {self.seed}")
        if self.design in CATALOGUE and self.design_name not in CATALOGUE:
            others = ", ".join(name for name in CATALOGUE if name.startswith(f"{self.design}_"))
            raise InputError(
                f"there is no {self.design_name}: choose other --bits-a, leave out --symmetric, or"
                f" choose one of {others or 'kllm verilog --list'}"
            )
        engine_point(self.design_name)

    @property
    def design_name(self) -> str:
        """The design's full name, or its address."""
        if is_own(self.design):
            return self.design
        size = self.design.removesuffix(SUFFIX)
        symmetric = self.symmetric or size != self.design
        bits = 4 if size.endswith(("_a5", "_a8")) else self.activation_bits
        return engine_name(size, symmetric=symmetric, activation_bits=bits)

    @cached_property
    def engine(self) -> Contract[Any]:
        """What runs a layer on the design."""
        return engine(engine_point(self.design_name).spec)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One layer, quantised and simulated.

    Parameters
    ----------
    options : Options
    source : LayerSource
        The layer in full precision, and its tokens.
    layer : QuantizedLinear
    golden : Result
        What the golden model makes of the tokens.
    run : LayerRun
        What the simulated Verilog makes of them.
    errors : ErrorSplit
    area : dict or None
        What the engine takes in gates, if it was measured.
    """

    options: Options
    source: LayerSource
    layer: QuantizedLinear
    golden: Result
    run: LayerRun
    errors: ErrorSplit
    area: dict[str, Any] | None = field(default=None)

    @property
    def mismatches(self) -> int:
        """How many output values differ from the golden model's, in any bit."""
        return int((self.run.y != self.golden.y).sum())

    @property
    def first_wrong(self) -> str | None:
        """Where the first value that differs is, and how; None if all are right."""
        places = np.argwhere(self.run.y != self.golden.y)
        if not len(places):
            return None
        token, channel = places[0].tolist()
        wanted, got = (int(y[token, channel]) for y in (self.golden.y, self.run.y))
        return f"token {token}, channel {channel}: expected {_fp16(wanted)}, got {_fp16(got)}"

    @property
    def beats(self) -> int:
        """Beats of weights that a token takes."""
        layer = self.layer
        return self.options.engine.weight_beats(layer.inputs, layer.outputs, layer.k_top)

    @property
    def utilisation(self) -> float:
        """Share of cycles with a beat of weights, from the very first one to the very last."""
        busy = self.beats * len(self.run.y)
        return busy / int(self.run.last_weights[-1] - self.run.first[0] + 1)


def run(
    source: LayerSource,
    options: Options,
    *,
    measure_area: Callable[[str], dict[str, Any]] | None,
    progress: Progress,
    verilog: str | None = None,
) -> Outcome:
    """Quantise a layer, run it in the golden model and in the simulator, and measure.

    Parameters
    ----------
    source : LayerSource
        The layer and its tokens.
    options : Options
    measure_area : callable or None
        Returns what a design takes in gates.
    progress : callable
        Told what is being done, and which share of it is.
    verilog : str, optional
        What to simulate in place of the design's own Verilog: its gates.

    Raises
    ------
    InputError
        If the design is too small for the layer.
    ToolError
        If the simulator or the synthesis fails.
    """
    with built_ahead(options.design_name, "" if verilog else options.simulator):
        progress("codebooks", None)
        layer = layer_of(source, options)
        progress("golden model", None)
        golden = options.engine.golden(layer, source.x)
        progress(f"Verilog and {options.simulator}", None)
        simulated = run_layer(
            options.design_name,
            layer,
            source.x,
            simulator=options.simulator,
            seed=options.seed,
            verilog=verilog,
            progress=lambda share: progress("simulation", share),
        )
    area = None
    if measure_area:
        progress("synthesis", None)
        area = measure_area(options.design_name)
    return Outcome(
        options=options,
        source=source,
        layer=layer,
        golden=golden,
        run=simulated,
        errors=split_errors(layer, source, golden),
        area=area,
    )


def layer_of(source: LayerSource, options: Options) -> QuantizedLinear:
    """Return a layer in the engine's numbers, quantised if it is not yet.

    Raises
    ------
    InputError
        If the design is too small for it, or has other numbers.
    """
    layer = source.layer or _quantised(source, options)
    options.engine.require(layer)
    return layer


def _quantised(source: LayerSource, options: Options) -> QuantizedLinear:
    """Quantise a layer if the design is large enough for it."""
    inputs, outputs = source.weight.shape
    k_top = outliers_per_side(inputs, options.outlier_share)
    options.engine.require_size(inputs=inputs, outputs=outputs, k_top=k_top)
    numbers = options.engine.spec.numbers
    return quantised(
        source,
        {
            "weight_bits": options.weight_bits,
            "activation_bits": options.activation_bits,
            "symmetric": numbers.symmetric,
            "outlier_share": options.outlier_share,
            "recipe": options.recipe,
            "magnitude_bits": numbers.magnitude_bits,
        },
    )


def _fp16(pattern: int) -> str:
    return f"{np.uint16(pattern).view(np.float16):g} (0x{pattern:04x})"
