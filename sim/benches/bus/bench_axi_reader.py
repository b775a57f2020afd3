"""cocotb bench for AxiReader: words of memory in order, whatever pauses, fails or is given up."""

import cocotb

from sim.benches.bus.bench_bursts import requests, split
from sim.kit.axi import Memory
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

COUNT = 8


def words(memory: Memory, asked: list[dict[str, int]]) -> list[dict[str, int]]:
    """Return what comes out for requests."""
    size = memory.bed.block.spec.word_bytes
    return [
        {"data": memory.word(one["address"] + n * size), "last": int(n == one["words"] - 1)}
        for one in asked
        for n in range(one["words"])
    ]


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def reads(dut, traffic: str) -> None:
    """Every word comes once, and the bursts are those of golden."""
    bed = Testbed(dut)
    memory = Memory(bed, TRAFFIC[traffic].sink_stall)
    await bed.start()
    memory.watch()
    asked = requests(bed, COUNT, 20)
    await bed.send_anew(traffic, i=asked)
    memory.watch()
    await bed.expect("o", words(memory, asked))
    assert bed.get("idle")
    assert not bed.get("error")
    spec = bed.block.spec
    assert memory.asked["ar"] == [burst for one in asked for burst in split(spec, one)]
    if traffic == "free":
        assert memory.asked_at["ar"][0] - bed.sources["i"].taken_at[0] == bed.block.LATENCY


@cocotb.test(timeout_time=100, timeout_unit="us")
async def keeps_the_bus_busy(dut) -> None:
    """With nobody pausing, a word comes in every cycle, from one request to the next too."""
    bed = Testbed(dut)
    Memory(bed)
    await bed.start()
    block = bed.block.spec.block
    sizes = [3 * block, 2 * block, block, 5 * block]
    bed.send("i", [{"address": 0, "words": size} for size in sizes])
    await bed.receive("o", sum(sizes))
    bed.check_gapless("o")


@cocotb.test(timeout_time=100, timeout_unit="us")
async def has_few_under_way(dut) -> None:
    """While memory is silent as many bursts are asked for as may be under way; then all others."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    memory.watch()
    spec = bed.block.spec
    memory.channels["ar"].pause = memory.channels["r"].pause = True
    asked = [{"address": 0, "words": spec.block * (spec.outstanding + 3)}]
    bed.send("i", asked)
    await bed.cycles(5)
    assert not bed.get("idle")
    memory.channels["ar"].pause = False
    await bed.cycles(10 * spec.outstanding)
    assert len(memory.asked["ar"]) == spec.outstanding
    assert not bed.get("idle")
    memory.channels["r"].pause = False
    await bed.expect("o", words(memory, asked))


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def tells_errors(dut, traffic: str) -> None:
    """Errors stay until they are cleared; all words come out, and no others are made of it."""
    bed = Testbed(dut)
    memory = Memory(bed, TRAFFIC[traffic].sink_stall)
    await bed.start(traffic)
    size = bed.block.spec.word_bytes
    for bad in (0, 19, None):
        asked = [{"address": 0, "words": 20}, {"address": 4096, "words": 3}]
        memory.bad = set() if bad is None else {bad * size}
        bed.sinks["o"].items.clear()
        bed.sinks["o"].valid_at.clear()
        bed.send("i", asked)
        expected = words(memory, asked)
        for n in () if bad is None else (bad,):
            expected[n]["data"] = 0  # the memory's own
        await bed.expect("o", expected)
        assert bed.get("error") == (bad is not None)
        assert bed.get("idle")
        await bed.pulse("clear")
        await bed.settled()
        assert not bed.get("error")
        await bed.cycles()


@cocotb.test(timeout_time=100, timeout_unit="us")
async def stops(dut) -> None:
    """After a stop in any cycle nothing is asked for and all is taken; what waits comes later."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    block = bed.block.spec.block
    for wait in [*range(1, 7), *bed.rng.integers(7, 4 * block, size=6)]:
        memory.stall(float(bed.rng.choice([0, 0.4])))
        memory.watch()
        asked = [{"address": 0, "words": 2 * block}, *requests(bed, 3, 4)]
        before = len(bed.sources["i"].taken_at)
        bed.send("i", asked)
        await bed.cycles(int(wait))
        bed.sinks["o"].task.cancel()
        dut.o__ready.value = 0
        bed.set(stop=1)
        await bed.settled()
        assert not bed.port("o__valid")
        begun = len(memory.asked["ar"])
        await bed.until("idle")
        await bed.cycles(10)
        assert len(memory.asked["ar"]) <= begun + 1  # by chance that of the first cycle came later
        assert bed.get("idle")
        left = asked[len(bed.sources["i"].taken_at) - before :]
        bed.renew_sink("o", "slow_out")
        bed.set(stop=0)
        if left:
            await bed.expect("o", words(memory, left))
