"""cocotb bench for EntryMerge: two sorted lists, often with equal keys, one of them short."""

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

ROUNDS = 30


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def merges(dut, traffic: str) -> None:
    """Send the k_top furthest out of both in order; drop the rest."""
    bed = await Testbed(dut).start(traffic)
    most = bed.block.spec.outliers_max
    sign = -1 if bed.block.largest else 1
    for _ in range(ROUNDS):
        k_top = int(bed.rng.integers(1, most + 1))
        total = int(bed.rng.integers(k_top, 2 * k_top + 1))
        entries = sorted(
            (
                {"key": int(bed.rng.integers(-2, 3)), "position": position}
                for position in range(total)
            ),
            key=lambda entry: (sign * entry["key"], entry["position"]),
        )
        on_a = bed.rng.permutation(total) < min(k_top, max(total - k_top, total // 2))
        lists = [
            [e for e, here in zip(entries, on_a == flag, strict=True) if here] for flag in (1, 0)
        ]
        sink = bed.sinks["o"]
        before = len(sink.items)
        await bed.pulse("clear", k_top=k_top, a_drained=0, b_drained=0)
        for port, items in zip("ab", lists, strict=True):
            bed.tasks.append(cocotb.start_soon(_list(bed, port, items)))
        await bed.until("drained")
        assert sink.items[before:] == entries[:k_top]


async def _list(bed: Testbed, port: str, items: list[dict[str, int]]) -> None:
    await bed.sources[port].send(items)
    bed.set(**{f"{port}_drained": 1})
