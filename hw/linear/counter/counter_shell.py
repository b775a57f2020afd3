"""Counter shell: the two branches of a counter engine, in whatever numbers."""

from abc import abstractmethod
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped

from hw.linear.counter.counter_spec import CounterSpec
from hw.linear.counter.tile_requester import TileRequester
from hw.linear.shell.engine_shell import EngineShell
from hw.stream.component import InStream, OutStream


class CounterShell(EngineShell):
    """Count a token's codes, and multiply its residuals beside it, with two streams of weights.

    Parameters
    ----------
    spec : CounterSpec
        Widths, lines and the largest layer.
    quantizer, output : wiring.Component
        What makes codes of tokens, and outputs of sums.
    counting, compensation, row_requester : wiring.Component
        The main branch, the outlier branch, and what asks for the outliers' weights.
    **others : wiring.Component
        Parts between the branches and the output stage.

    Timing
    ------
    Latency : the datapath's.
    Rate : that of the slower branch.
    Through paths : none.
    Reset : drops all tokens; constants become zero and must be loaded again.
    """

    tile_request_o = OutStream(lambda c: c.tile_requester.request)
    """As from :class:`hw.linear.counter.tile_requester.TileRequester`."""
    tile_weight_i = InStream(lambda c: c.counting.weights)
    """The answers, in order: 4-bit weight codes ``[line][input channel]``."""
    row_request_o = OutStream(lambda c: c.row_requester.request)
    """As from :class:`hw.linear.counter.row_requester.RowRequester`."""
    row_weight_i = InStream(lambda c: c.compensation.weights)
    """The answers, in order: 4-bit weight codes ``[output channel of the group]``."""

    def __init__(
        self,
        spec: CounterSpec,
        quantizer: Any,
        output: Any,
        *,
        counting: Any,
        compensation: Any,
        row_requester: Any,
        **others: Any,
    ) -> None:
        self.counting, self.compensation = counting, compensation
        self.tile_requester, self.row_requester = TileRequester(spec), row_requester
        parts = {
            "tile_requester": self.tile_requester,
            "row_requester": row_requester,
            "counting": counting,
            "compensation": compensation,
        }
        super().__init__(spec, quantizer, output, parts | others)

    @abstractmethod
    def connect_sums(self, m: Module) -> None:
        """Connect both branches' sums with the output stage."""

    def connect_datapath(self, m: Module, prepared: Signal) -> None:
        """Count the codes and multiply the residuals; the weights are asked for ahead."""
        quantizer = self.quantizer
        m.d.comb += self.tile_requester.prepared.eq(prepared)
        connect(m, self.tile_requester.o, flipped(self.tile_request_o))
        connect(m, flipped(self.tile_weight_i), self.counting.weight_i)
        connect(m, self.counting.codes, quantizer.codes)
        connect(m, self.row_requester.positions, quantizer.positions)
        connect(m, self.row_requester.o, flipped(self.row_request_o))
        connect(m, flipped(self.row_weight_i), self.compensation.row_i)
        connect(m, self.compensation.residuals, quantizer.rows)
        self.connect_sums(m)
