"""FP16 units, as the benches try them."""

from hw.fp16.fp16_add import Fp16Add
from hw.fp16.fp16_compare import Fp16Compare
from hw.fp16.fp16_fma import Fp16Fma
from hw.fp16.fp16_from_integer import Fp16FromInteger
from hw.fp16.fp16_key import Fp16Key
from hw.fp16.fp16_multiply import Fp16Multiply
from hw.fp16.fp16_to_integer import Fp16ToInteger
from sim.blocks.block import Block

FP16_BLOCKS = {
    "fp16_key": Block("bench_fp16_key", Fp16Key),
    "fp16_fma": Block("bench_fp16_arithmetic", Fp16Fma),
    "fp16_fma_pipelined": Block("bench_fp16_arithmetic", lambda: Fp16Fma(pipelined=True)),
    "fp16_multiply": Block("bench_fp16_arithmetic", Fp16Multiply),
    "fp16_multiply_pipelined": Block("bench_fp16_arithmetic", lambda: Fp16Multiply(pipelined=True)),
    "fp16_add": Block("bench_fp16_arithmetic", Fp16Add),
    "fp16_add_pipelined": Block("bench_fp16_arithmetic", lambda: Fp16Add(pipelined=True)),
    "fp16_compare": Block("bench_fp16_compare", Fp16Compare),
    "fp16_from_integer_8": Block("bench_fp16_integers", lambda: Fp16FromInteger(8)),
    "fp16_from_integer_24": Block(
        "bench_fp16_integers", lambda: Fp16FromInteger(24, pipelined=True)
    ),
    "fp16_to_integer_8": Block("bench_fp16_integers", lambda: Fp16ToInteger(8)),
    "fp16_to_integer_18": Block("bench_fp16_integers", lambda: Fp16ToInteger(18, pipelined=True)),
}
