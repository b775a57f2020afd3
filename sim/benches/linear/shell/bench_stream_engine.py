"""cocotb bench for StreamEngine: layers loaded through registers, tokens and outputs as frames."""

from typing import Any

import cocotb
import numpy as np
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from gateware.engines.lookup import LookupContract
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from hw.bus.axi import channels
from hw.linear.shell.stream_engine import registers
from sim.kit.axi import hold_still, stall
from sim.kit.random_layer import any_layer, random_layer, random_tokens
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic
from sim.kit.words import unpack

OFFERS = ("m_axis", "request_m_axis")
ERRORS = ("early", "late", "keep", "lost")


class Host:
    """A host, a sender of tokens, a taker of outputs, and a memory of weights."""

    def __init__(self, bed: Testbed, traffic: str = "free") -> None:
        self.bed, self.traffic = bed, TRAFFIC[traffic]
        self.contract = LookupContract(bed.block.spec, bed.block.engine)
        clock = bed.dut.clk, bed.dut.rst
        self.master: Any = AxiLiteMaster(AxiLiteBus.from_prefix(bed.dut, "s_axi"), *clock)
        self.streams: dict[str, Any] = {}
        for name in ("s_axis", "weight_s_axis", *OFFERS):
            kind = AxiStreamSink if name in OFFERS else AxiStreamSource
            self.streams[name] = kind(AxiStreamBus.from_prefix(bed.dut, name), *clock)
            taken = getattr(bed.dut, f"{name}_tvalid") if name in OFFERS else None
            chance = self.traffic.sink_stall if name in OFFERS else self.traffic.source_stall
            stall(self.streams[name], bed.rng, chance, taken if self.traffic.after_valid else None)
        self.addresses = {one.name: one.address for one in registers()}

    async def start(self) -> None:
        """Start, or start anew; watch what is offered, and answer requests for weights."""
        await (self.bed.restart() if self.bed.started else self.bed.start())
        for stream in self.streams.values():
            stream.clear()
        for name in OFFERS:
            parts = channels(getattr(self.bed.block, name).signature)["t"]
            check = hold_still(self.bed.dut, name, parts)
            self.bed.tasks.append(cocotb.start_soon(check))
        self.bed.tasks.append(cocotb.start_soon(self._answer()))

    async def write(self, **values: int) -> None:
        """Write registers."""
        for name, value in values.items():
            await self.master.write(self.addresses[name], value.to_bytes(4, "little"))

    async def read(self, name: str) -> dict[str, int]:
        """Return the fields of a register."""
        answer = await self.master.read(self.addresses[name], 4)
        word = int.from_bytes(answer.data, "little")
        fields = registers()[name].fields
        return {one.name: word >> one.low & (1 << one.bits) - 1 for one in fields}

    async def load(self, layer: QuantizedLinear) -> None:
        """Load a layer's constants."""
        (self.image,) = self.contract.memory_images(layer)
        for one in self.contract.load_words(layer):
            await self.load_word(**one)
        while (await self.read("state"))["loading"]:
            pass

    async def load_word(self, select: int, address: int, word: int) -> None:
        """Load a constant."""
        await self.write(low=word & 0xFFFFFFFF, high=word >> 32)
        await self.write(place=select | address << 3, load=1)

    async def send(self, token: BitArray, keep: list[int] | None = None) -> None:
        """Send a frame."""
        frame = AxiStreamFrame(token.astype("<u2").tobytes(), tkeep=keep)
        await self.streams["s_axis"].send(frame)

    async def outputs(self, layer: QuantizedLinear, count: int) -> BitArray:
        """Return the outputs of tokens; each is a frame of as many bytes as it must have."""
        found = [bytes(await self.streams["m_axis"].recv()) for _ in range(count)]
        assert {len(one) for one in found} == {2 * layer.outputs}
        return np.stack([np.frombuffer(one, "<u2") for one in found])

    async def check(self, layer: QuantizedLinear, x: BitArray) -> None:
        """Compare the outputs of tokens that are under way with the golden model's."""
        wanted = self.contract.golden(layer, x).y
        np.testing.assert_array_equal(await self.outputs(layer, len(x)), wanted)

    async def _answer(self) -> None:
        """Answer requests for weights, in order; each is a word, not a frame."""
        request = self.bed.block.request
        asked, answers = self.streams["request_m_axis"], self.streams["weight_s_axis"]
        size = self.bed.block.weights.size // 8
        while True:
            wanted = int.from_bytes((await asked.recv()).tdata, "little")
            word = self.image.word(unpack(request, wanted & (1 << request.size) - 1))
            await answers.send(AxiStreamFrame(word.to_bytes(size, "little")))


@every_traffic
@cocotb.test(timeout_time=6, timeout_unit="ms")
async def layers(dut, traffic: str) -> None:
    """Run layers of any size: every bit of every output is the golden model's."""
    bed = Testbed(dut)
    host = Host(bed, traffic)
    await host.start()
    assert (await host.read("lanes")) == {
        "inputs": bed.block.spec.inputs_per_beat,
        "outputs": bed.block.spec.scale_lanes,
    }
    for tokens in (1, 4, 4):
        layer = any_layer(bed.rng, bed.block.spec)
        await host.load(layer)
        x = random_tokens(bed.rng, tokens, layer.inputs)
        for token in x:
            await host.send(token)
        await host.check(layer, x)
    assert not any((await host.read("errors")).values())
    assert (await host.read("state"))["idle"]


@cocotb.test(timeout_time=6, timeout_unit="ms")
async def wrong_frames(dut) -> None:
    """Count what is missing as zeros, drop what is too much, and tell the host, once each."""
    bed = Testbed(dut)
    host = Host(bed)
    await host.start()
    lanes = bed.block.spec.inputs_per_beat
    shape = {"inputs": 3 * lanes, "outputs": 5, "k_top": 1}
    layer = random_layer(bed.rng, bed.block.spec.numbers, **shape)
    await host.load(layer)
    x = random_tokens(bed.rng, 4, layer.inputs)
    cut, more, torn, good = x
    kept = [1] * (2 * layer.inputs)
    kept[0] = 0
    expected = x.copy()
    expected[0, 2 * lanes :] = 0
    expected[2, 0] = 0
    frames = (("early", cut[: 2 * lanes], None), ("late", np.tile(more, 2), None))
    frames += (("keep", torn, kept), (None, good, None))
    for n, (error, frame, keep) in enumerate(frames):
        if error:
            mask = 1 << ERRORS.index(error)
            await host.write(enables=mask)
        await host.send(frame, keep)
        await host.check(layer, expected[n : n + 1])
        assert await host.read("errors") == {name: int(name == error) for name in ERRORS}
        assert bed.get("interrupts") == bool(error)
        await host.write(errors=15)
    assert not bed.get("interrupts")


@cocotb.test(timeout_time=6, timeout_unit="ms")
async def constants_wait(dut) -> None:
    """Keep a constant that waits for a token's end; one more is lost, and that is told."""
    bed = Testbed(dut)
    host = Host(bed)
    await host.start()
    layer = any_layer(bed.rng, bed.block.spec)
    await host.load(layer)
    host.streams["m_axis"].pause = True
    x = random_tokens(bed.rng, 1, layer.inputs)
    await host.send(x[0])
    while (await host.read("state"))["idle"]:
        pass
    clear = {"select": 0, "address": 5, "word": 0}
    await host.load_word(**clear)
    assert (await host.read("state"))["loading"]
    assert not any((await host.read("errors")).values())
    await host.load_word(**clear)
    assert (await host.read("errors"))["lost"]
    host.streams["m_axis"].pause = False
    await host.check(layer, x)
    assert not (await host.read("state"))["loading"]


@cocotb.test(timeout_time=6, timeout_unit="ms")
async def resets(dut) -> None:
    """After a reset in any cycle of a token all is as at first."""
    bed = Testbed(dut)
    host = Host(bed)
    await host.start()
    for _ in range(bed.resets):
        layer = any_layer(bed.rng, bed.block.spec)
        await host.load(layer)
        for token in random_tokens(bed.rng, 3, layer.inputs):
            await host.send(token)
        await bed.cycles(int(bed.rng.integers(300)))
        await host.start()
        layer = any_layer(bed.rng, bed.block.spec)
        await host.load(layer)
        x = random_tokens(bed.rng, 1, layer.inputs)
        await host.send(x[0])
        await host.check(layer, x)
