"""Functions of FP16 numbers, and scalars of vectors."""

from functools import partial

from gateware.point import Point, listed
from golden.exact.functions import FUNCTIONS
from hw.vector.function_unit import FunctionUnit
from hw.vector.inverse_unit import InverseUnit
from hw.vector.power_sum import PowerSum
from hw.vector.square_sum import SquareSum

UNIT, SUM = "vector.bench_function_unit", "vector.bench_exact_sum"

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
    *(
        listed(
            f"square_sum_l{lanes}",
            partial(SquareSum, lanes, 1 << 14),
            f"exact sum of squares of an FP16 vector, {lanes} elements a cycle",
        )
        for lanes in (1, 4, 8, 16)
    ),
    *(
        listed(
            f"power_sum_l{lanes}",
            partial(PowerSum, lanes, 1 << 17),
            f"exact sum of an FP16 vector without negative elements, {lanes} a cycle",
        )
        for lanes in (1, 4, 8, 16)
    ),
    listed(
        "inverse_unit",
        partial(InverseUnit, 76),
        "inverse of a sum or of its root as a scale",
        bench="vector.bench_inverse_unit",
    ),
    Point("inverse_unit_57", partial(InverseUnit, 57), bench="vector.bench_inverse_unit"),
    Point("square_sum_k64_l4", partial(SquareSum, 4, 64), bench=SUM),
    Point("square_sum_k16_l1", partial(SquareSum, 1, 16), bench=SUM),
    Point("power_sum_k64_l4", partial(PowerSum, 4, 64), bench=SUM),
    Point("power_sum_k24_l2", partial(PowerSum, 2, 24), bench=SUM),
)
