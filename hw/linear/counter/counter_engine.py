"""Counter engine: the paper's way to run a layer of K-Means indices, by counting pairs."""

from amaranth.hdl import Module
from amaranth.lib.wiring import connect

from hw.linear.counter.compensation_array import CompensationArray
from hw.linear.counter.counter_array import CounterArray
from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter.counter_shell import CounterShell
from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.row_requester import RowRequester
from hw.linear.counter.sum_join import SumJoin
from hw.linear.output.output_stage import OutputStage


class CounterEngine(CounterShell):
    """Run a linear layer of K-Means indices, one token after another (arXiv 2507.23035).

    Bit-exact with :func:`golden.exact.linear.forward`, and so with the lookup engine. The main
    branch counts how often each pair of indices occurs for an output channel, and multiplies the
    counts with the products; the outlier branch multiplies residuals with the weights' centroids
    beside it. Both use a weight matrix of
    their own order: columns there, rows here, so there are two streams of weights.

    Timing
    ------
    Latency : :meth:`gateware.engines.counter.CounterContract.alone`.
    Rate : a token every ``max(main_cycles, compensation_cycles)`` cycles of the spec, when that
        is not less than the other stages need and nobody makes it wait.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    def __init__(self, spec: CounterSpec) -> None:
        self.join = SumJoin(spec)
        super().__init__(
            spec,
            CounterQuantizer(spec),
            OutputStage(spec),
            counting=CounterArray(spec),
            compensation=CompensationArray(spec),
            row_requester=RowRequester(spec),
            join=self.join,
        )

    def connect_sums(self, m: Module) -> None:
        """Scale both sums together."""
        connect(m, self.counting.o, self.join.i)
        connect(m, self.compensation.o, self.join.compensation_i)
        connect(m, self.join.o, self.output.i)
