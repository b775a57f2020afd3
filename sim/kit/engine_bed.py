"""A linear engine in the simulator, with a weight memory and a driver on each stream."""

from collections.abc import Callable
from typing import Any, ClassVar

import cocotb
import numpy as np
from amaranth.lib import wiring
from cocotb.triggers import RisingEdge

from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, forward
from sim.kit.engine_words import (
    WeightMemory,
    activation_beats,
    collect_outputs,
    load_words,
    output_beats,
)
from sim.kit.testbed import Testbed

Answer = Callable[[dict[str, Any]], int]


class EngineBed(Testbed):
    """Loads layers into an engine and runs tokens through it.

    Parameters
    ----------
    dut : handle
        The top level.
    block : wiring.Component, optional
        What it was made from; by default what the registry says.

    Attributes
    ----------
    WEIGHTS : dict
        Streams of requests for weights, and those of the answers.
    """

    WEIGHTS: ClassVar[dict[str, str]] = {"weight_request_o": "weight_i"}

    def __init__(self, dut, block: wiring.Component | None = None) -> None:
        super().__init__(dut, block)
        self._answers: dict[str, Answer] = {}

    async def load(self, layer: QuantizedLinear) -> None:
        """Load a layer's constants; return when all are taken."""
        self._answers = self.memories(layer)
        self._layer = layer
        await self.sources["load_i"].send(self.words(layer))

    async def restart(self, traffic: str = "free") -> None:
        """Reset, as :meth:`Testbed.restart` does; then answer requests for weights."""
        await super().restart(traffic)
        for request, answer in self.WEIGHTS.items():
            self.tasks.append(cocotb.start_soon(self._serve_weights(request, answer)))

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

    async def check(self, layer: QuantizedLinear, x: BitArray) -> BitArray:
        """Load a layer, run tokens, compare every bit, and the flags; return the outputs."""
        await self.load(layer)
        await self.cycles()
        assert not any(self.flags().values()), "flags of a layer that has not run"
        y, flags = self.expected(layer, x)
        np.testing.assert_array_equal(await self.run(x), y)
        assert self.flags() == flags
        assert self.get("idle")
        return y

    def expected(self, layer: QuantizedLinear, x: BitArray) -> tuple[BitArray, dict[str, Any]]:
        """Return outputs and flags as the golden model has them."""
        result = forward(layer, x)
        flags = {
            "nonfinite": result.nonfinite.any(),
            "saturated": result.saturated.any(),
            "overflow": result.overflow.any(),
        }
        return result.y, flags

    def words(self, layer: QuantizedLinear) -> list[dict]:
        """Return the words that load a layer's constants."""
        return load_words(self.block.spec, layer)

    def flags(self) -> dict[str, int]:
        """Return the sticky flags."""
        return self.get("flags")

    def memories(self, layer: QuantizedLinear) -> dict[str, Answer]:
        """Return what answers the requests of each stream of :attr:`WEIGHTS`."""
        memory = WeightMemory(self.block.spec, layer)
        return {
            "weight_request_o": lambda request: memory.answer(request["tile"], request["channels"])
        }

    async def _serve_weights(self, request: str, answer: str) -> None:
        """Answer each request in order, one a cycle at best."""
        requests, answers = self.sinks[request].items, self.sources[answer]
        served = 0
        while True:
            if served == len(requests):
                await RisingEdge(self.dut.clk)
                continue
            assert self._answers, "weights wanted before a layer was loaded"
            await answers.send([self._answers[request](requests[served])])
            served += 1
