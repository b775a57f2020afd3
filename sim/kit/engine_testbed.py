"""An engine in the simulator, with a memory of weights and a driver on each stream."""

import cocotb
import numpy as np
from amaranth.lib import wiring
from cocotb.triggers import RisingEdge

from gateware.engines.kinds import engine_of
from gateware.engines.memory_image import MemoryImage
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear, Result
from golden.exact.token_scale import Scale
from sim.kit.random_layer import random_factors
from sim.kit.testbed import Testbed

FLAGS = ("nonfinite", "overflow")


class EngineTestbed(Testbed):
    """Loads layers into an engine of any kind and runs tokens through it.

    Parameters
    ----------
    dut : handle
        The top level.
    block : wiring.Component, optional
        What it was made from; by default the point that the launcher names.

    Attributes
    ----------
    contract : gateware.engines.contract.Contract
        What the engine wants and gives.
    """

    def __init__(self, dut, block: wiring.Component | None = None) -> None:
        super().__init__(dut, block)
        self.contract = engine_of(self.block)
        self._images: dict[str, MemoryImage] = {}

    async def load(self, layer: QuantizedLinear) -> None:
        """Load a layer's constants; return when all are taken."""
        self._images = {image.request: image for image in self.contract.memory_images(layer)}
        self._layer = layer
        await self.sources["load_i"].send(self.contract.load_words(layer))

    async def restart(self, traffic: str = "free") -> None:
        """Reset, as :meth:`Testbed.restart` does; then answer requests for weights."""
        await super().restart(traffic)
        for request, answer in self.contract.WEIGHTS.items():
            self.tasks.append(cocotb.start_soon(self._serve_weights(request, answer)))

    async def run(self, x: BitArray, factor: Scale | None = None, *, together: int = 1) -> BitArray:
        """Return the outputs (T, N) that the engine gives for tokens (T, K) and their factors.

        ``together``: tokens that meet a tile one behind the other, T of them or one.
        """
        before, beats = len(self.sinks["o"].items), self.contract.output_beats(self._layer.outputs)
        if self.block.spec.together:
            self.set(together=together)
        self.send_tokens(x, factor)
        got = (await self.receive("o", before + len(x) * beats))[before:]
        if together > 1:
            steps = self.block.spec.output_lanes // self.block.spec.scale_lanes
            tiles = [got[n : n + steps * together] for n in range(0, len(got), steps * together)]
            sizes = [len(tile) // together for tile in tiles]
            got = [
                beat
                for n in range(together)
                for tile, size in zip(tiles, sizes, strict=True)
                for beat in tile[n * size : (n + 1) * size]
            ]
        ends = np.array([beat["last"] for beat in got]).reshape(len(x), -1)
        assert ends[:, -1].all(), "last is not raised on a token's last beat"
        assert not ends[:, :-1].any(), "last is raised before a token's last beat"
        return self.contract.outputs([beat["lanes"] for beat in got], self._layer)

    def send_tokens(self, x: BitArray, factor: Scale | None = None) -> None:
        """Begin to send tokens (T, K), and their factors (T,) if the engine takes any."""
        self.send("i", self.contract.activation_beats(x))
        factors = self.contract.factor_words(len(x), factor)
        if factors:
            self.send("factor_i", factors)

    async def check(self, layer: QuantizedLinear, x: BitArray, *, together: int = 1) -> Result:
        """Load a layer, run tokens, compare every bit, and the flags; return the golden result.

        An engine that takes factors of tokens gets random ones.
        """
        await self.load(layer)
        await self.cycles()
        assert not any(self.flags().values()), "flags of a layer that has not run"
        factor = random_factors(self.rng, len(x)) if self.block.spec.token_factor else None
        expected = self.contract.golden(layer, x, factor)
        where = "outputs, by [token, output channel]"
        found = await self.run(x, factor, together=together)
        np.testing.assert_array_equal(found, expected.y, err_msg=where)
        assert self.flags() == {name: getattr(expected, name).any() for name in FLAGS}
        assert self.get("idle")
        return expected

    def flags(self) -> dict[str, int]:
        """Return the sticky flags."""
        return self.get("flags")

    def weights_at(self) -> list[list[int]]:
        """Return the cycles in which each stream of weights was taken; the main branch's first."""
        return [self.sources[answer].taken_at for answer in self.contract.WEIGHTS.values()]

    def assert_lone_token(self, layer: QuantizedLinear) -> None:
        """Compare the latency of the first token with the contract's, if it has no outliers."""
        if layer.k_top:
            return
        asked = self.sinks[next(iter(self.contract.WEIGHTS))].taken_at[0]
        memory = self.weights_at()[0][0] - asked
        cycles = self.contract.cycles(layer.inputs, layer.outputs, 0, memory=memory)
        sent = self.sinks["o"].taken_at[self.contract.output_beats(layer.outputs) - 1]
        assert sent - self.sources["i"].taken_at[0] + 1 == cycles.latency

    async def _serve_weights(self, request: str, answer: str) -> None:
        """Answer each request in order, one a cycle at best."""
        requests, answers = self.sinks[request].items, self.sources[answer]
        served = 0
        while True:
            if served == len(requests):
                await RisingEdge(self.dut.clk)
                continue
            assert self._images, "weights wanted before a layer was loaded"
            await answers.send([self._images[request].word(requests[served])])
            served += 1
