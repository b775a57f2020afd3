"""Gates per multiply-accumulate of each kind of arithmetic, side by side, and cycles of a layer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateware.density_points import FMA, FMA_COMBINATIONAL, DensityPoint, counter_spec
from gateware.points import point
from golden.base.errors import ToolError
from golden.exact.cycles import lookup_beats, outliers_of
from synth.area.area import Area
from synth.area.measure import measure_all
from synth.libraries.liberty import Library

PERCENTS = (0, 0.5, 1, 2, 5, 10)
INPUTS = OUTPUTS = 4096
# The lookup engine with as many multiply-accumulates a cycle as the paper's: 16 x 512.
LOOKUP_INPUTS, LOOKUP_LANES = 16, 512
# Where to find what `accuracy` says; MiniLM's least forgiving kind of layer.
LAYER = "encoder.layer.3.output.dense"


@dataclass(frozen=True, kw_only=True)
class Density:
    """One kind of arithmetic in one library.

    Parameters
    ----------
    block, library : str
        Names of both.
    ge_per_mac : float
        Logic of an output channel per multiply-accumulate per cycle: products and their sum.
    ge_per_mac_with_registers : float
        The same of a whole array: with accumulators, pipeline registers, and its part of what
        lanes share.
    delay_fo4 : float
        Longest path of that array.
    ratio_to_fp16_fma : float
        ``ge_per_mac_with_registers`` over our pipelined FP16 fused multiply-add.
    ratio_to_fp16_fma_combinational : float
        ``ge_per_mac`` over the combinational one.
    ratio_to_int4 : float
        ``ge_per_mac`` over that of INT4.
    ge_per_mac_with_scales : float or None
        Of an array that also has FP16 scales for groups of 128 input channels, as INT4 needs
        them; None where there is none.
    accuracy : float or None
        Error of one layer of MiniLM relative to its outputs, as ``kllm study`` prints it; None
        where it prints none.
    """

    block: str
    library: str
    ge_per_mac: float
    ge_per_mac_with_registers: float
    delay_fo4: float
    ratio_to_fp16_fma: float
    ratio_to_fp16_fma_combinational: float
    ratio_to_int4: float
    ge_per_mac_with_scales: float | None
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class Cycles:
    """Cycles of a token in a layer of 4096 x 4096, at 8192 multiply-accumulates a cycle.

    Parameters
    ----------
    outlier_percent : float
        Share of outliers, both sides together.
    lookup : int
        Beats of the lookup engine.
    counter : int
        The counter engine's: of its main and its outlier branch the longer.
    """

    outlier_percent: float
    lookup: int
    counter: int


def densities(
    points: Sequence[DensityPoint],
    library: Library,
    accuracy: Mapping[str, float],
    **options: object,
) -> list[Density]:
    """Measure kinds of arithmetic, INT4 among them, in a library.

    Parameters
    ----------
    points : sequence of DensityPoint
        Those of :func:`gateware.density_points.density_points`.
    library : Library
        The cells.
    accuracy : mapping of str to float
        What is known of :attr:`Density.accuracy`, by block.
    **options
        As for :func:`synth.area.measure.measure_all`.
    """
    units = [point(FMA), point(FMA_COMBINATIONAL)]
    wanted = [*units]
    for one in points:
        wanted += [one.lane, one.array, *([one.scaled] if one.scaled else [])]
    areas = measure_all(wanted, library, **options)  # pyright: ignore[reportArgumentType]
    measured = dict(zip(wanted, areas, strict=True))
    fma, plain_fma = (measured[unit].ge for unit in units)
    logic = {one.block: _logic(measured[one.lane]) / one.lane_pairs for one in points}
    found = []
    for one in points:
        array = measured[one.array]
        whole = array.ge / one.array_pairs
        scaled = measured[one.scaled].ge / one.array_pairs if one.scaled else None
        found.append(
            Density(
                block=one.block,
                library=array.library,
                ge_per_mac=logic[one.block],
                ge_per_mac_with_registers=whole,
                delay_fo4=array.delay_fo4,
                ratio_to_fp16_fma=whole / fma,
                ratio_to_fp16_fma_combinational=logic[one.block] / plain_fma,
                ratio_to_int4=logic[one.block] / logic["int4"],
                ge_per_mac_with_scales=scaled,
                accuracy=accuracy.get(one.block),
            )
        )
    return found


def _logic(area: Area) -> float:
    return area.ge - area.ge_sequential


def paper_scale_cycles() -> list[Cycles]:
    """Return the cycles of both engines for each share of outliers."""
    spec = counter_spec()
    rows = []
    for percent in PERCENTS:
        outliers = outliers_of(INPUTS, percent)
        lookup = lookup_beats(
            INPUTS,
            OUTPUTS,
            outliers,
            inputs_per_beat=LOOKUP_INPUTS,
            output_lanes=LOOKUP_LANES,
            digits=spec.numbers.residual_digits(INPUTS),
        )
        branches = spec.main_cycles(INPUTS, OUTPUTS), spec.compensation_cycles(OUTPUTS, outliers)
        rows.append(Cycles(outlier_percent=percent, lookup=lookup, counter=max(branches)))
    return rows


def accuracies(progress: Callable[[str], None]) -> dict[str, float]:
    """Return the error of one layer for each block for which ``kllm study`` prints it.

    Lookup: symmetric codebooks; counter: plain ones; both with 0.5 % outliers on each side.
    Dequantisation: symmetric ones without outliers. INT4: round to nearest in groups of 128.
    Nothing if MiniLM's weights are not there.
    """
    from golden.accuracy.error_split import study
    from golden.models.layer_source import model_layers

    found = {}
    progress("a layer of MiniLM")
    try:
        layers = list(model_layers([LAYER], 64, None, 0))
    except ToolError:
        return found
    for block, symmetric, outliers in (
        ("lookup", True, 0.005),
        ("counter", False, 0.005),
        ("dequant", True, 0.0),
    ):
        progress(f"error of {block}")
        ((_, split),) = study(layers, symmetric=symmetric, outlier_share=outliers)
        found[block] = split.relative()["quantisation"]
        found["int4"] = split.relative()["int_groups_of_128"]
    return found
