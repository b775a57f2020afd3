"""A linear engine in the simulator, with a weight memory and a driver on each stream."""

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge

from golden.fp16 import BitArray
from golden.linear import QuantizedLinear
from hw.linear_engine import LinearEngine
from sim.bed.testbed import Testbed
from sim.engine_words import (
    WeightMemory,
    activation_beats,
    collect_outputs,
    load_words,
    output_beats,
)


class EngineBed(Testbed):
    """Loads layers into an engine and runs tokens through it.

    Parameters
    ----------
    dut : handle
        The top level.
    block : LinearEngine, optional
        What it was made from; by default what the registry says.
    """

    def __init__(self, dut, block: LinearEngine | None = None) -> None:
        super().__init__(dut, block)
        self._memory: WeightMemory | None = None

    async def load(self, layer: QuantizedLinear) -> None:
        """Load a layer's constants; return when all are taken."""
        self._memory = WeightMemory(self.block.spec, layer)
        self._layer = layer
        await self.sources["load_i"].send(load_words(self.block.spec, layer))

    async def restart(self, traffic: str = "free") -> None:
        """Reset, as :meth:`Testbed.restart` does; then answer requests for weights."""
        await super().restart(traffic)
        self.tasks.append(cocotb.start_soon(self._serve_weights()))

    async def run(self, x: BitArray) -> BitArray:
        """Return the outputs (T, N) that the engine gives for tokens (T, K)."""
        sink = self.sinks["o"]
        before, beats = len(sink.items), len(x) * output_beats(self.block.spec, self._layer.outputs)
        self.send("i", activation_beats(self.block.spec, x))
        got = (await self.receive("o", before + beats))[before:]
        ends = np.array([beat["last"] for beat in got]).reshape(len(x), -1)
        assert ends[:, -1].all(), "last is not raised on a token's last beat"
        assert not ends[:, :-1].any(), "last is raised before a token's last beat"
        return collect_outputs([beat["lanes"] for beat in got], len(x), self._layer.outputs)

    def flags(self) -> dict[str, int]:
        """Return the sticky flags."""
        return self.get("flags")

    async def _serve_weights(self) -> None:
        """Answer each request in order, one a cycle at best."""
        requests, answers = self.sinks["weight_request_o"].items, self.sources["weight_i"]
        served = 0
        while True:
            if served == len(requests):
                await RisingEdge(self.dut.clk)
                continue
            request = requests[served]
            assert self._memory, "weights wanted before a layer was loaded"
            await answers.send([self._memory.answer(request["tile"], request["channels"])])
            served += 1
