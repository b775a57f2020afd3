"""FP16 units."""

from functools import partial

from gateware.point import Point, listed
from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_compare import Fp16Compare
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_from_integer import Fp16FromInteger
from hw.fp16.fp16_key import Fp16Key
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.fp16.fp16_to_integer import Fp16ToInteger

INTEGERS = "fp16.bench_fp16_integers"


def _unit(name: str, about: str, unit: type, *, pipelined: bool) -> Point:
    form = f"in {unit.STAGES} pipeline stages" if pipelined else "combinational"
    return listed(
        name + "_pipelined" * pipelined,
        partial(unit, pipelined=pipelined),
        f"{about}, IEEE 754 with subnormals, {form}",
        bench="fp16.bench_fp16_arithmetic",
    )


POINTS = (
    *(
        _unit(name, about, unit, pipelined=pipelined)
        for name, about, unit in (
            ("fp16_fma", "FP16 fused multiply-add", Fp16Fma),
            ("fp16_multiply", "FP16 multiplication", Fp16Multiply),
            ("fp16_add", "FP16 addition", Fp16Add),
        )
        for pipelined in (False, True)
    ),
    Point("fp16_key", partial(Fp16Key)),
    Point("fp16_compare", partial(Fp16Compare)),
    Point("fp16_from_integer_8", partial(Fp16FromInteger, 8), bench=INTEGERS),
    Point("fp16_from_integer_24", partial(Fp16FromInteger, 24, pipelined=True), bench=INTEGERS),
    Point("fp16_to_integer_8", partial(Fp16ToInteger, 8), bench=INTEGERS),
    Point("fp16_to_integer_18", partial(Fp16ToInteger, 18, pipelined=True), bench=INTEGERS),
)
