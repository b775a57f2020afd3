"""cocotb bench for Bursts: those of golden, within the room there is, and none after a stop."""

import cocotb

from golden.exact.bursts import BEATS_MAX, PAGE, bursts
from hw.bus.bursts import WORDS_MAX
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 40


def requests(bed: Testbed, count: int, most: int) -> list[dict[str, int]]:
    """Return requests for up to so many words, at either end of pages and of carries too."""
    spec, made = bed.block.spec, []
    space = 1 << spec.address_bits
    for n in range(count):
        some = int(bed.rng.integers(1, most + 1))
        words = (1, spec.block, 2 * spec.block, some)[bed.rng.integers(4)]
        power = int(bed.rng.integers(13, spec.address_bits))
        near = (0, PAGE, 1 << power)[bed.rng.integers(3)]
        place = near + spec.word_bytes * int(bed.rng.integers(-spec.block - 1, spec.block + 2))
        place = space - words * spec.word_bytes if n == 1 else max(place, 0)
        made.append({"address": min(place, space - words * spec.word_bytes), "words": words})
    return made


def split(spec, request: dict[str, int]) -> list[tuple[int, int]]:
    """Return the bursts of a request."""
    return bursts(**request, word_bytes=spec.word_bytes, burst_max=spec.burst_max)


def items(spec, asked: list[dict[str, int]]) -> list[dict[str, int]]:
    """Return what comes out for requests."""
    made = []
    for one in asked:
        parts = split(spec, one)
        made += [
            {
                "word": address // spec.word_bytes,
                "beats_less_1": beats - 1,
                "last": int(n == len(parts)),
            }
            for n, (address, beats) in enumerate(parts, 1)
        ]
    return made


@every_traffic
@cocotb.test(timeout_time=100, timeout_unit="us")
async def splits(dut, traffic: str) -> None:
    """Every burst comes once, in order; with nobody pausing one in every cycle."""
    bed = await Testbed(dut).start(room=1)
    spec = bed.block.spec
    asked = requests(bed, COUNT, 4 * BEATS_MAX)
    await bed.send_anew(traffic, i=asked)
    await bed.expect("o", items(spec, asked))
    assert not bed.get("busy")
    if traffic == "free":
        bed.check_gapless("o")
        assert bed.sinks["o"].valid_at[0] - bed.sources["i"].taken_at[0] == bed.block.LATENCY


@cocotb.test(timeout_time=100, timeout_unit="us")
async def counts_far(dut) -> None:
    """All bursts come of a request as long as can be tried; in some sizes that is the longest."""
    bed = await Testbed(dut).start(room=1)
    spec = bed.block.spec
    count = min(WORDS_MAX, 4096 * spec.block)
    start = (1 << spec.address_bits) - count * spec.word_bytes - PAGE + spec.word_bytes
    asked = [{"address": start, "words": count}]
    bed.send("i", asked)
    await bed.expect("o", items(spec, asked))


@cocotb.test(timeout_time=100, timeout_unit="us")
async def waits_for_room(dut) -> None:
    """Without room nothing is offered; what is offered stays when the room goes or a stop comes."""
    bed = await Testbed(dut).start()
    bed.sinks["o"].task.cancel()
    dut.o__ready.value = 0
    bed.send("i", requests(bed, 3, 1000))
    for stops in (0, 1):
        await bed.cycles(5)
        assert bed.get("busy")
        assert not bed.port("o__valid")
        await bed.pulse("room")
        bed.set(stop=stops)
        offered = bed.item("o")
        for _ in range(3):
            await bed.settled()
            assert bed.port("o__valid")
            assert bed.item("o") == offered
            await bed.cycles()
        dut.o__ready.value = 1
        await bed.cycles()
        dut.o__ready.value = 0
    bed.set(room=1)
    taken = len(bed.sources["i"].taken_at)
    for _ in range(5):
        await bed.settled()
        assert not bed.get("busy")
        assert not bed.port("o__valid")
        await bed.cycles()
    assert len(bed.sources["i"].taken_at) == taken
