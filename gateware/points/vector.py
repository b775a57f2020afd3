"""Functions of FP16 numbers, and scalars of vectors."""

from functools import partial

from gateware.point import listed
from golden.exact.functions import FUNCTIONS
from hw.vector.function_unit import FunctionUnit

UNIT = "vector.bench_function_unit"


POINTS = (
    listed(
        "function_unit_exp_sigmoid",
        partial(FunctionUnit, ("exp", "sigmoid")),
        "exp and sigmoid of an FP16 number, in 6 pipeline stages",
        bench=UNIT,
    ),
    listed(
        "function_unit",
        partial(FunctionUnit, tuple(FUNCTIONS)),
        "exp, sigmoid, reciprocal, rsqrt, tanh and erf of an FP16 number, in 6 pipeline stages",
        bench=UNIT,
    ),
    listed(
        "function_unit_erf",
        partial(FunctionUnit, ("erf",)),
        "erf of an FP16 number, in 6 pipeline stages",
        bench=UNIT,
    ),
)
