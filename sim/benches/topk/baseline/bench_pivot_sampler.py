"""cocotb bench for PivotSampler: what it draws is from the right lanes, and from any row."""

import cocotb

from sim.kit.testbed import Testbed

PASSES, ROWS = 200, 12


@cocotb.test(timeout_time=100, timeout_unit="us")
async def draws(dut) -> None:
    """One of what is kept and one of what is not, of this pass; each row gets its turn."""
    bed = await Testbed(dut).start()
    lanes = bed.block.spec.values_per_beat
    from_rows = {"kept": set(), "dropped": set()}
    for number in range(PASSES):
        await bed.pulse("clear")
        for row in range(ROWS):
            valid = int(bed.rng.integers(1 << lanes))
            keep = int(bed.rng.integers(1 << lanes))
            entries = [
                {
                    "key": 256 * (number % 2) + 16 * row + 2 * (valid >> n & 1) + (keep >> n & 1),
                    "position": n,
                }
                for n in range(lanes)
            ]
            bed.set(entries=entries, valid=valid, keep=keep, row=row, kept_row=row // 2)
            await bed.cycles()
        bed.set(valid=0)
        await bed.cycles(2)
        await bed.settled()
        for name, kept in (("kept", 1), ("dropped", 0)):
            if bed.get(f"{name}_any"):
                key = bed.get(name)["key"]
                assert key >> 8 == number % 2
                assert key & 3 == 2 + kept
                from_rows[name].add(key >> 4 & 15)
        await bed.cycles()
    assert all(rows == set(range(ROWS)) for rows in from_rows.values())


@cocotb.test(timeout_time=30, timeout_unit="us")
async def looks_at_a_choice(dut) -> None:
    """``sample`` is what was chosen, until something else is."""
    bed = await Testbed(dut).start(choose=1)
    bed.set(valid=bed.mask("valid"))
    lanes = bed.block.spec.values_per_beat
    held = None
    for _ in range(100):
        lane = int(bed.rng.integers(-1, lanes))
        entries = [
            {"key": int(key), "position": n} for n, key in enumerate(bed.rng.integers(0, 99, lanes))
        ]
        bed.set(entries=entries, choice=0 if lane < 0 else 1 << lane)
        await bed.cycles()
        await bed.settled()
        assert bed.get("sampled") == (lane >= 0)
        held = held if lane < 0 else entries[lane]
        if held:
            assert bed.get("sample") == held
