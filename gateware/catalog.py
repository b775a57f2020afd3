"""The design points that the project builds, simulates and measures.

A name is all that crosses a process boundary: the launcher passes it to the simulator, and
``kllm verilog NAME`` writes its Verilog.
"""

from dataclasses import asdict
from functools import partial

from gateware.counter_engines import COUNTER_DESIGNS, COUNTER_SPECS
from gateware.counter_fp16_designs import COUNTER_FP16_DESIGNS
from gateware.design import Design
from gateware.mac_arrays import MAC_DESIGNS
from gateware.outlier_engines import OUTLIER_DESIGNS
from golden.base.names import lookup
from golden.exact.spec import NumberSpec
from golden.quantise.quantize import PLAIN_MAGNITUDE_BITS, SYMMETRIC_MAGNITUDE_BITS
from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.linear.engine_spec import EngineSpec
from hw.linear.linear_engine import LinearEngine
from hw.linear.lookup.lookup_array import LookupArray
from hw.linear.lookup.lookup_tree import LookupTree

# Lanes, the largest layer and the longest lists of outliers; each for plain codebooks and, with
# this suffix, for symmetric ones.
SYMMETRIC = "_symmetric"
SIZES = {
    "tiny": dict(
        inputs_per_beat=4,
        output_lanes=4,
        inputs_max=64,
        outputs_max=64,
        outliers_max=4,
        scale_lanes=2,
    ),
    "small": dict(
        inputs_per_beat=16,
        output_lanes=16,
        inputs_max=256,
        outputs_max=256,
        outliers_max=8,
        scale_lanes=4,
    ),
    "minilm": dict(
        inputs_per_beat=16,
        output_lanes=64,
        inputs_max=1536,
        outputs_max=1536,
        outliers_max=16,
        scale_lanes=4,
    ),
}


def engine_spec(size: str, *, symmetric: bool) -> EngineSpec:
    """Return the parameters of a linear engine of :data:`SIZES`."""
    bits = SYMMETRIC_MAGNITUDE_BITS if symmetric else PLAIN_MAGNITUDE_BITS
    return EngineSpec(numbers=NumberSpec(symmetric=symmetric, magnitude_bits=bits), **SIZES[size])


def _linear_engine(size: str, *, symmetric: bool) -> Design:
    spec = engine_spec(size, symmetric=symmetric)
    parameters = asdict(spec)
    return Design(
        name=size + (SYMMETRIC if symmetric else ""),
        make=partial(LinearEngine, spec),
        about=f"{spec.inputs_per_beat} x {spec.output_lanes} linear engine,"
        f" {'symmetric' if symmetric else 'plain'} codebooks,"
        f" K and N up to {spec.inputs_max} and {spec.outputs_max}",
        parameters=parameters.pop("numbers") | parameters,
    )


def _lookup(name: str, kind: type, about: str) -> Design:
    spec = engine_spec("small", symmetric=True)
    parameters = asdict(spec)
    return Design(
        name=name,
        make=partial(kind, spec),
        about=f"{about} of a 16 x 16 linear engine, symmetric codebooks",
        parameters=parameters.pop("numbers") | parameters,
    )


def _fp16(name: str, about: str, unit: type, *, pipelined: bool) -> Design:
    form = f"in {unit.STAGES} pipeline stages" if pipelined else "combinational"
    return Design(
        name=name + ("_pipelined" if pipelined else ""),
        make=partial(unit, pipelined=pipelined),
        about=f"{about}, IEEE 754 with subnormals, {form}",
        parameters={"pipelined": pipelined},
    )


ENGINES = tuple(
    _linear_engine(size, symmetric=symmetric) for size in SIZES for symmetric in (False, True)
)
LOOKUP_DESIGNS = (
    _lookup("lookup_tree", LookupTree, "an output channel's 16 lookups and their sum"),
    _lookup("lookup_array", LookupArray, "the lookup array"),
)
DESIGNS = (
    *ENGINES,
    *LOOKUP_DESIGNS,
    *COUNTER_DESIGNS,
    *COUNTER_FP16_DESIGNS,
    *OUTLIER_DESIGNS,
    *MAC_DESIGNS,
    *(
        _fp16(name, about, unit, pipelined=pipelined)
        for name, about, unit in (
            ("fp16_fma", "FP16 fused multiply-add", Fp16Fma),
            ("fp16_multiply", "FP16 multiplication", Fp16Multiply),
            ("fp16_add", "FP16 addition", Fp16Add),
        )
        for pipelined in (False, True)
    ),
)
ENGINE_SPECS: dict[str, EngineSpec] = {
    **{
        size + SYMMETRIC * symmetric: engine_spec(size, symmetric=symmetric)
        for size in SIZES
        for symmetric in (False, True)
    },
    **COUNTER_SPECS,
}
CATALOG = {design.name: design for design in DESIGNS}


def design(name: str) -> Design:
    """Return the design called ``name``.

    Raises
    ------
    InputError
        When there is none; the text has the names that come near.
    """
    return lookup("design", name, CATALOG, "kllm verilog --list")
