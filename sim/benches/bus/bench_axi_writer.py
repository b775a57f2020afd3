"""cocotb bench for AxiWriter: memory holds what was sent, whatever pauses, fails or is given up."""

from typing import Any

import cocotb

from sim.benches.bus.bench_bursts import requests, split
from sim.kit.axi import Memory
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

COUNT = 8


def words(bed: Testbed, asked: list[dict[str, int]]) -> list[dict[str, int]]:
    """Return words for requests; of many all bytes are written, of some none."""
    size, made = bed.block.spec.word_bytes, []
    for _ in range(sum(one["words"] for one in asked)):
        strobe = int.from_bytes(bed.rng.bytes(size)) >> (7 * size)
        strobe = [strobe, (1 << size) - 1, 0][bed.rng.choice(3, p=[0.4, 0.5, 0.1])]
        made.append({"data": int.from_bytes(bed.rng.bytes(size)), "strobe": strobe})
    return made


def written(bed: Testbed, asked: list[dict[str, int]], sent: list[dict[str, int]]) -> Any:
    """Return the bytes that memory must hold."""
    size = bed.block.spec.word_bytes
    places = [one["address"] + n * size for one in asked for n in range(one["words"])]
    return {
        place + n: word["data"] >> (8 * n) & 255
        for place, word in zip(places, sent, strict=False)
        for n in range(size)
        if word["strobe"] >> n & 1
    }


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def writes(dut, traffic: str) -> None:
    """Every byte is where it belongs and no other, and the bursts are those of golden."""
    bed = Testbed(dut)
    memory = Memory(bed, TRAFFIC[traffic].sink_stall)
    await bed.start()
    spec = bed.block.spec
    asked = requests(bed, COUNT, 20)
    sent = words(bed, asked)
    await bed.send_anew(traffic, request_i=asked, word_i=sent)
    memory.watch()
    memory.written.clear()
    while len(bed.sources["word_i"].taken_at) < len(sent):
        await bed.cycles()
    await bed.until("idle")
    assert memory.written == written(bed, asked, sent)
    assert memory.asked["aw"] == [burst for one in asked for burst in split(spec, one)]
    assert not bed.get("error")
    await bed.cycles(12)
    assert bed.get("idle")
    if traffic == "free":
        taken_at = bed.sources["request_i"].taken_at[0]
        assert memory.asked_at["aw"][0] - taken_at == bed.block.LATENCY
        assert bed.sources["word_i"].taken_at[0] - taken_at == bed.block.LATENCY + 1


@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_the_bus_busy(dut) -> None:
    """With nobody pausing, a word goes in every cycle, from one request to the next too."""
    bed = Testbed(dut)
    Memory(bed)
    await bed.start()
    block = bed.block.spec.block
    asked = [{"address": 0, "words": size * block} for size in (3, 2, 1, 5)]
    sent = words(bed, asked)
    bed.send("request_i", asked)
    bed.send("word_i", sent)
    await bed.cycles(len(sent) + 20)
    taken_at = bed.sources["word_i"].taken_at
    assert taken_at == list(range(taken_at[0], taken_at[0] + len(sent)))


@cocotb.test(timeout_time=100, timeout_unit="us")
async def has_few_under_way(dut) -> None:
    """While answers fail to come, as many bursts go out as may be under way; then all others."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    memory.watch()
    spec = bed.block.spec
    memory.channels["b"].pause = memory.channels["aw"].pause = True
    asked = [{"address": 0, "words": spec.block * (spec.outstanding + 3)}]
    sent = words(bed, asked)
    bed.send("request_i", asked)
    bed.send("word_i", sent)
    await bed.cycles(10)
    assert bed.sources["word_i"].taken_at, "words wait for their address, memory may for words"
    assert not bed.get("idle")
    memory.channels["aw"].pause = False
    await bed.cycles((spec.outstanding + 1) * spec.block + 20)
    assert len(memory.asked["aw"]) == spec.outstanding
    assert len(bed.sources["word_i"].taken_at) == spec.outstanding * spec.block
    assert not bed.get("idle")
    memory.channels["b"].pause = False
    await bed.until("idle")
    assert memory.written == written(bed, asked, sent)


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def tells_errors(dut, traffic: str) -> None:
    """Errors stay until they are cleared; all other words are written."""
    bed = Testbed(dut)
    memory = Memory(bed, TRAFFIC[traffic].sink_stall)
    await bed.start(traffic)
    size = bed.block.spec.word_bytes
    for bad in (0, 19, None):
        asked = [{"address": 0, "words": 20}, {"address": 4096, "words": 3}]
        memory.bad = set() if bad is None else {bad * size}
        memory.written.clear()
        sent = [word | {"strobe": (1 << size) - 1} for word in words(bed, asked)]
        bed.send("request_i", asked)
        bed.send("word_i", sent)
        await bed.cycles(5)
        await bed.until("idle")
        assert bed.get("error") == (bad is not None)
        expected = written(bed, asked, sent)
        assert memory.written == {n: byte for n, byte in expected.items() if n // size != bad}
        await bed.pulse("clear")
        await bed.settled()
        assert not bed.get("error")
        await bed.cycles()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def stops(dut) -> None:
    """After a stop in any cycle it ends by itself, nothing else is written, and it works anew."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    block = bed.block.spec.block
    for wait in [*range(1, 8), *bed.rng.integers(8, 4 * block, size=8)]:
        waits = bool(bed.rng.integers(2))  # a word does, when the stop comes
        memory.stall(0 if waits else float(bed.rng.choice([0, 0.4])))
        memory.watch()
        memory.written.clear()
        asked = [{"address": 0, "words": 2 * block}, *requests(bed, 3, 4)]
        sent = words(bed, asked)
        before = len(bed.sources["word_i"].taken_at)
        enough = bool(bed.rng.integers(2))  # words, or none from some place on
        bed.send("request_i", asked)
        bed.send("word_i", sent if enough else sent[: bed.rng.integers(1, 2 * block)])
        await bed.cycles(int(wait))
        memory.channels["w"].pause = waits
        await bed.cycles(3 * waits)
        bed.set(stop=1)
        await bed.settled()
        begun = len(memory.asked["aw"])
        await bed.cycles(3 * waits)
        memory.channels["w"].pause = False
        await bed.until("idle")
        await bed.cycles(10)
        assert len(memory.asked["aw"]) <= begun + 1  # by chance that of the first cycle came later
        assert bed.get("idle")
        taken = len(bed.sources["word_i"].taken_at) - before
        assert memory.written == written(bed, asked, sent[:taken])
        for task in bed.tasks[-2:]:
            task.cancel()
        dut.request_i__valid.value = dut.word_i__valid.value = 0
        await bed.pulse("clear", stop=0)
    memory.written.clear()
    asked = requests(bed, 3, 4)
    sent = words(bed, asked)
    bed.send("request_i", asked)
    bed.send("word_i", sent)
    await bed.cycles(5)
    await bed.until("idle")
    assert memory.written == written(bed, asked, sent)
