"""cocotb bench for ReadShare: each way has its own words, and its turn."""

import cocotb

from sim.benches.bus.bench_axi_reader import words
from sim.benches.bus.bench_bursts import requests, split
from sim.kit.axi import Memory
from sim.kit.testbed import Testbed
from sim.kit.traffic import TRAFFIC, every_traffic

COUNT = 6


async def collect(bed: Testbed, memory: Memory, asked: dict[str, list]) -> None:
    """Expect what every way asked for."""
    for way, ones in asked.items():
        if ones:
            await bed.expect(way.replace("i", "o"), words(memory, ones))


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def shares(dut, traffic: str) -> None:
    """Every word comes once, to the way that asked for it."""
    bed = Testbed(dut)
    memory = Memory(bed, TRAFFIC[traffic].sink_stall)
    await bed.start()
    asked = {f"i__{n}": requests(bed, COUNT, 12) for n in range(bed.block.ways)}
    await bed.send_anew(traffic, **asked)
    memory.watch()
    await collect(bed, memory, asked)
    assert bed.get("idle")
    assert not bed.get("error")
    bursts = [
        one for ones in asked.values() for each in ones for one in split(bed.block.spec, each)
    ]
    assert sorted(memory.asked["ar"]) == sorted(bursts)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def takes_turns(dut) -> None:
    """All ways that ask have their turns, one after the other, every other cycle."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    memory.watch()
    ways, size = bed.block.ways, bed.block.spec.word_bytes
    counts = [5 + 3 * n for n in range(ways)]
    asked = {
        f"i__{n}": [{"address": (turn * ways + n) * size, "words": 1} for turn in range(counts[n])]
        for n in range(ways)
    }
    for way, ones in asked.items():
        bed.send(way, ones)
    await collect(bed, memory, asked)
    order = [address // size for address, _ in memory.asked["ar"]]
    assert order == [
        turn * ways + n for turn in range(max(counts)) for n in range(ways) if turn < counts[n]
    ]
    asked_at = memory.asked_at["ar"]
    assert asked_at == list(range(asked_at[0], asked_at[0] + 2 * len(order), 2))
    assert asked_at[0] - bed.sources["i__0"].taken_at[0] == bed.block.LATENCY - 1


@cocotb.test(timeout_time=100, timeout_unit="us")
async def tells_errors(dut) -> None:
    """Errors are told and cleared as by the reader."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    memory.bad = {0}
    bed.send("i__1", [{"address": 0, "words": 2}])
    await bed.receive("o__1", 2)
    assert bed.get("error")
    await bed.pulse("clear")
    await bed.settled()
    assert not bed.get("error")


@cocotb.test(timeout_time=100, timeout_unit="us")
async def stops(dut) -> None:
    """After a stop in any cycle all is taken, requests may be given up, and it works anew."""
    bed = Testbed(dut)
    memory = Memory(bed)
    await bed.start()
    ways = range(bed.block.ways)
    for wait in [*range(8), *bed.rng.integers(8, 60, size=4)]:
        memory.stall(float(bed.rng.choice([0, 0.4])))
        for n in ways:
            bed.send(f"i__{n}", requests(bed, 3, 8))
        await bed.cycles(int(wait))
        for n in ways:
            bed.sinks[f"o__{n}"].task.cancel()
            getattr(dut, f"o__{n}__ready").value = 0
        bed.set(stop=1)
        await bed.until("idle")
        for task in bed.tasks:
            task.cancel()
        for n in ways:
            getattr(dut, f"i__{n}__valid").value = 0
            bed.renew_sink(f"o__{n}")
        await bed.cycles()
        bed.set(stop=0)
        await bed.cycles(2)
        asked = {f"i__{n}": requests(bed, 2, 3) for n in ways}
        for way, ones in asked.items():
            bed.send(way, ones)
        await collect(bed, memory, asked)
