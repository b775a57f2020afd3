"""cocotb bench for OrizuruUpper: the bench plays the units below, each with a sorted list."""

import cocotb

from sim.kit.testbed import Testbed

ROUNDS = 40
NOBODY = {"key": 0, "position": 0, "valid": 0}


def offer(rng, entries: list[dict[str, int]]) -> dict[str, int]:
    """Return what a unit shows; noise when it has nothing left."""
    if entries:
        return entries[0]
    return NOBODY | {"key": int(rng.integers(-(1 << 15), 1 << 15))}


@cocotb.test(timeout_time=400, timeout_unit="us")
async def offers_keys_in_order(dut) -> None:
    """Take the largest of all, of equals the lower unit's; it is replaced where it came from."""
    bed = await Testbed(dut).start()
    block = bed.block
    positions = 1 << block.position_bits
    for n in range(ROUNDS):
        spread = (2, 1 << 15)[n % 2]
        lists = []
        for _ in range(block.units):
            keys = sorted(bed.rng.integers(-spread, spread, int(bed.rng.integers(4))), reverse=True)
            lists.append(
                [
                    {"key": int(key), "position": int(bed.rng.integers(positions)), "valid": 1}
                    for key in keys
                ]
            )
        shown: dict[str, int] = {}
        bed.set(offers=[offer(bed.rng, entries) for entries in lists], take=0)
        await bed.cycles(block.period)
        for _ in range(sum(map(len, lists)) + 3):
            last = int(bed.rng.random() < 0.2)
            heads = [u for u, entries in enumerate(lists) if entries]
            best = max(heads, key=lambda u: (lists[u][0]["key"], -u), default=None)
            bed.set(take=1, last=last)
            await bed.settled()
            takes = bed.get("takes")
            if best is None:
                shown = {"valid": 0}
            else:
                entry = lists[best][0]
                shown = entry | {"position": entry["position"] + best * positions}
                assert takes == (0 if last else 1 << best)
                if not last:
                    lists[best].pop(0)
            await bed.cycles()
            bed.set(take=0, last=0, offers=[offer(bed.rng, entries) for entries in lists])
            for _ in range(block.period - 1 + int(bed.rng.integers(2))):
                await bed.settled()
                assert bed.get("takes") == 0
                assert shown.items() <= bed.get("largest").items()
                await bed.cycles()
