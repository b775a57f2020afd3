"""Functions of FP16 numbers, and scalars of vectors."""

from dataclasses import replace
from functools import partial

from gateware.point import Point, listed
from golden.exact.functions import FUNCTIONS
from hw.vector.cache_bounds import CacheBounds
from hw.vector.cache_quantizer import CacheQuantizer
from hw.vector.cache_scale import CacheScale
from hw.vector.function_unit import FunctionUnit
from hw.vector.inverse_unit import InverseUnit
from hw.vector.largest import Largest
from hw.vector.power_sum import PowerSum
from hw.vector.square_sum import SquareSum
from hw.vector.vector_spec import VectorSpec
from hw.vector.vector_sum import VectorSum
from hw.vector.vector_unit import VectorUnit

UNIT, SUM = "vector.bench_function_unit", "vector.bench_exact_sum"
QUANTIZER, VECTOR = "vector.bench_cache_quantizer", "vector.bench_vector_unit"
NARROW = VectorSpec(word_lanes=4, lanes=1, words=64)
WIDE = VectorSpec(word_lanes=16, lanes=4, words=128)
HALF = VectorSpec(word_lanes=16, lanes=2, words=128)
LARGE = VectorSpec(word_lanes=16, lanes=8, words=256)  # of a chip of 16 x 64 lanes

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
            f"function_unit_{name}",
            partial(FunctionUnit, (name,)),
            f"GELU of an FP16 number, {form}, in 6 pipeline stages",
            bench=UNIT,
        )
        for name, form in (("gelu", "the form with erf"), ("gelu_tanh", "the form with tanh"))
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
    *(Point(f"largest_{lanes}", partial(Largest, lanes)) for lanes in (1, 4)),
    *(Point(f"vector_sum_{lanes}", partial(VectorSum, lanes)) for lanes in (1, 4, 8)),
    *(Point(f"cache_scale_{lanes}", partial(CacheScale, lanes, 64)) for lanes in (1, 4)),
    # Powers wait for what they are multiplied by where words are of two steps or one.
    *(
        Point(
            f"vector_unit_{lanes}_of_4",
            partial(VectorUnit, replace(NARROW, lanes=lanes, gelu=lanes == 2)),
        )
        for lanes in (2, 4)
    ),
    *(
        listed(
            f"vector_unit_{spec.lanes}",
            partial(VectorUnit, spec),
            f"vector operations of a chip in FP16, {spec.lanes} numbers a cycle",
            bench=VECTOR,
        )
        for spec in (NARROW, WIDE)
    ),
    Point("cache_bounds", CacheBounds, bench="vector.bench_cache_bounds"),
    *(
        listed(
            f"cache_quantizer_{spec.lanes}",
            partial(CacheQuantizer, spec, most),
            f"codes of cached keys and values, {spec.lanes} a cycle",
            bench=QUANTIZER,
        )
        for spec, most in ((NARROW, 128), (HALF, 128), (WIDE, 128), (LARGE, 768))
    ),
)
