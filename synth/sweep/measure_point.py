"""Measuring one point of a sweep: what a Dask worker does."""

import importlib.metadata
import json
import warnings
from functools import cache

from amaranth.hdl import UnusedElaboratable

from gateware.sources import files_digest, reached, source_digest
from golden.base.cache import default_cache
from golden.base.errors import InputError
from golden.base.tools import MODEL_PACKAGE
from synth.area.area import Area, Block
from synth.area.measure import digest, measure_all
from synth.libraries.liberty import Library
from synth.libraries.libraries import load
from synth.mapping.mapped import flow_digest
from synth.sweep.cycles import token_cycles
from synth.sweep.points import DEFAULT_LIBRARY, FIGURES, TIME, Accuracy, Point
from synth.timing.timing import timing_digest

Figures = dict[str, float]
KIND = "accuracy"


@cache
def library_of(name: str) -> Library:
    """Return a library by its name in a sweep."""
    return load([] if name == DEFAULT_LIBRARY else [name])


def measure_point(point: Point, timeout: float) -> Figures:
    """Return the figures of a point by their names.

    Parameters
    ----------
    point : Point
        What to measure.
    timeout : float
        Seconds that each run of Yosys or ABC may take.

    Raises
    ------
    InputError
        When there can be no such design, or the library lacks a cell.
    ToolError
        When a tool is missing, fails or takes too long.
    """
    found: Figures = {}
    design = point.design()
    if {"area", "delay"} & set(point.measure):
        try:
            _ = design.emission
        except ValueError as error:
            # Parts of it are there and never used, of which Amaranth would warn.
            warnings.filterwarnings("ignore", category=UnusedElaboratable)
            raise InputError(f"it cannot be built: {error}") from error
        # One run at a time: there are other workers.
        (area,) = measure_all([design], library_of(point.library), timeout=timeout, jobs=1)
        for kind in ("area", "delay"):
            if kind in point.measure:
                found |= {name: getattr(area, name) for name in FIGURES[kind]}
    if point.layer is not None:
        size = point.layer
        found["cycles"] = token_cycles(design, size.inputs, size.outputs, size.outliers)
    if {"cycles", "delay_ps"} <= set(found):
        found[TIME] = found["cycles"] * found["delay_ps"] / 1e6
    if point.accuracy is not None:
        found |= _errors_known(point, point.accuracy)
    return found


def point_digest(point: Point) -> str | None:
    """Return a hash of all that a point's figures depend on, or None if that is unknown."""
    sources = source_digest(point.design())
    if sources is None:
        return None
    library = library_of(point.library)
    fields = " ".join([*Area.__dataclass_fields__, *Block.__dataclass_fields__])
    formulas = files_digest(reached({"gateware.engines.kinds"}))
    parts = [sources, flow_digest(library), timing_digest(library), fields, formulas]
    if point.accuracy is not None:
        parts.append(_accuracy_digest(point, point.accuracy))
    return digest(*parts, repr((point.measure, point.layer)))


def _accuracy_digest(point: Point, accuracy: Accuracy) -> str:
    code = files_digest(reached({"golden.accuracy.error_split", "golden.models.layer_source"}))
    return digest(code, repr((_numbers(point), accuracy)), _version(MODEL_PACKAGE))


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _numbers(point: Point):
    """Return the widths of a point's integers, which alone decide how large its errors are."""
    return point.design().spec.numbers


def _errors_known(point: Point, accuracy: Accuracy) -> Figures:
    """Return the errors, measured once for all points that have the same."""
    key = _accuracy_digest(point, accuracy)
    return default_cache().made(
        KIND,
        key,
        lambda: _errors(point, accuracy),
        json.loads,
        lambda found: json.dumps(found).encode(),
    )


def _errors(point: Point, accuracy: Accuracy) -> Figures:
    """Return errors over the centred outputs' root mean square."""
    from golden.accuracy.error_split import split_errors
    from golden.models.layer_source import model_layer
    from golden.quantise.quantize import quantize_linear

    numbers = _numbers(point)
    source = model_layer(accuracy.layer, accuracy.tokens, seed=accuracy.seed)
    layer = quantize_linear(
        source.weight,
        source.bias,
        source.calibration,
        weight_bits=accuracy.weight_bits,
        activation_bits=accuracy.bits_of(numbers),
        symmetric=numbers.symmetric,
        outlier_share=accuracy.outlier_share,
        magnitude_bits=numbers.magnitude_bits,
    )
    split = split_errors(layer, source)
    relative = split.relative()
    quantisation, arithmetic = relative["quantisation"], relative["arithmetic"]
    return {
        "error": (quantisation**2 + arithmetic**2) ** 0.5,
        "quantisation_error": quantisation,
        "arithmetic_error": arithmetic,
    }
