"""FP16 counter engine: the paper's engine in the paper's numbers."""

from typing import Any

from amaranth.hdl import Module
from amaranth.lib.wiring import connect

from hw.linear.counter.counter_shell import CounterShell
from hw.linear.counter_fp16.fp16_compensation_array import Fp16CompensationArray
from hw.linear.counter_fp16.fp16_counter_array import Fp16CounterArray
from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec
from hw.linear.counter_fp16.fp16_output_stage import Fp16OutputStage
from hw.linear.counter_fp16.fp16_quantizer import Fp16Quantizer
from hw.linear.counter_fp16.fp16_row_requester import Fp16RowRequester
from hw.linear.counter_fp16.fp16_token_scale import Fp16TokenScale


class Fp16CounterEngine(CounterShell):
    """Run a linear layer of K-Means indices by counting, in FP16 (arXiv 2507.23035).

    Bit-exact with :func:`golden.exact.counter_fp16.forward`. Streams are those of
    :class:`hw.linear.counter.counter_engine.CounterEngine`; after the counts, all numbers are FP16.

    Timing
    ------
    Latency : :meth:`gateware.engines.counter_fp16.Fp16CounterContract.alone`.
    Rate : a token every ``max(main_cycles, compensation_cycles)`` cycles of the spec, when that
        is not less than the other stages need and nobody makes it wait.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    def __init__(self, spec: Fp16CounterSpec) -> None:
        super().__init__(
            spec,
            Fp16Quantizer(spec),
            Fp16OutputStage(spec),
            counting=Fp16CounterArray(spec),
            compensation=Fp16CompensationArray(spec),
            row_requester=Fp16RowRequester(spec),
        )

    def connect_scale(self, m: Module, scales: Any) -> None:
        """Queue a token's scale in FP16: there long before its token is done, it has become so."""
        handed = self.quantizer.scale_o
        scale = self.put(m, "scale", Fp16TokenScale(), i=handed.payload)
        m.d.comb += [
            scales.payload.eq(scale.o),
            scales.valid.eq(handed.valid),
            handed.ready.eq(scales.ready),
        ]

    def connect_sums(self, m: Module) -> None:
        """Scale both sums and add them."""
        connect(m, self.counting.o, self.output.i)
        connect(m, self.compensation.o, self.output.compensation_i)
