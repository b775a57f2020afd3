"""cocotb bench for HeapLevel: nodes sink at random; memory and decisions follow a plain model."""

from typing import Any

import cocotb

from sim.kit.testbed import Testbed

CYCLES = 600


def random_node(bed: Testbed) -> dict[str, int]:
    """Return a node; keys and positions are few, so that they tie."""
    key, position = int(bed.rng.integers(-2, 3)), int(bed.rng.integers(4))
    return {"key": key, "position": position, "vacant": int(bed.rng.random() < 0.3)}


def rank(bed: Testbed, node: dict[str, int], *, absent: bool, drain: int) -> tuple[int, ...]:
    """Return what is less for what goes first; all vacant places are alike."""
    if absent or (node["vacant"] and drain):
        return (2,)
    if node["vacant"]:
        return (0,)
    return 1, node["key"] if bed.block.largest else -node["key"], -node["position"]


def decide(bed: Testbed, inputs: dict[str, Any], k_top: int) -> tuple[Any, int, int]:
    """Return what belongs in the place, whether ``x`` leaves, and to which place."""
    number = (1 << bed.block.level) + inputs["place"]
    drain = inputs["drain"]
    sides = [
        rank(bed, node, absent=2 * number + n > k_top, drain=drain)
        for n, node in enumerate(inputs["below"])
    ]
    x = rank(bed, inputs["x"], absent=False, drain=drain)
    side = int(sides[0] > sides[1])
    if x <= min(sides):
        return inputs["x"], 0, 2 * inputs["place"] + side
    return inputs["below"][side], 1, 2 * inputs["place"] + side


def differs(bed: Testbed, inputs: dict[str, Any]) -> bool:
    """Return whether no two of the nodes are vacant: what becomes of such is left open."""
    return sum(node["vacant"] for node in (inputs["x"], *inputs["below"])) <= 1


@cocotb.test(timeout_time=100, timeout_unit="us")
async def sinks_as_decided(dut) -> None:
    """Decide a cycle after ``enter`` and keep what belongs here; ``pair`` is a cycle old."""
    bed = await Testbed(dut).start()
    block = bed.block
    words = 1 << max(block.level - 1, 0)
    k_top = block.entries
    bed.set(k_top=k_top, sweep=1)
    for row in range(words):
        bed.set(above=row)
        await bed.cycles()
    bed.set(sweep=0)
    kept: list[list[Any]] = [[None, None] for _ in range(words)]
    expected: list[Any] = [None, None]
    entered = left = 0
    previous: dict[str, Any] | None = None
    for _ in range(CYCLES):
        inputs = {
            "drain": int(bed.rng.integers(2)),
            "above": int(bed.rng.integers(words)),
            "below": [random_node(bed), random_node(bed)],
            "enter": int(bed.rng.random() < 0.6),
            "x": random_node(bed),
            "place": int(bed.rng.integers(1 << block.level)),
        }
        bed.set(**inputs)
        await bed.settled()
        for n, node in enumerate(expected):
            assert node is None or bed.get("pair")[n] == node
        now = None
        if previous and previous["enter"]:
            now = {**inputs, "x": previous["x"], "place": previous["place"]}
            node, leaves, to = decide(bed, now, k_top)
            if differs(bed, now) and all(
                2 * ((1 << block.level) + now["place"]) + n <= k_top for n in range(2)
            ):
                assert bed.get("leave") == leaves
                assert not leaves or bed.get("to") == to
                assert bed.get("sinking") == now["x"]
                kept[now["place"] >> 1][now["place"] & 1] = node
                entered, left = entered + 1, left + leaves
            else:
                kept[now["place"] >> 1][now["place"] & 1] = None
        else:
            assert not bed.get("leave")
        expected = list(kept[inputs["above"]])
        if now and now["place"] >> 1 == inputs["above"]:
            expected[now["place"] & 1] = None  # written in this cycle: not read
        await bed.cycles()
        previous = inputs
    assert 20 < left < entered - 20
