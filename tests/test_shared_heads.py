"""Attention of a whole model where several heads of queries share one of keys and values."""

from dataclasses import replace

import pytest

from gateware.system.designs import CLOCK, chips
from gateware.system.estimate import SPREAD_OUTLIERS, Phase, _spread_wait, estimate
from golden.chip.spread import OUTLIERS
from golden.system.memories import MEMORIES
from golden.system.shapes import MODELS


def test_heads_that_share_keys_by_hand() -> None:
    """LLaMA-3-8B: 32 heads of queries and 8 of keys are turned; keys are fetched 4 times today."""
    assert SPREAD_OUTLIERS == OUTLIERS
    model, memory, chip = MODELS["llama-3-8b"], MEMORIES["lpddr5"], chips()["lookup"]
    one = estimate(model, chip, memory, Phase(context=8192))
    turned = (32 + 8) * chip.interval(128, 128, 2)
    met = 32 * (chip.span(128, 8192, 1) + chip.span(8192, 128, 4))
    assert one.attention_cycles == 32 * (turned + met)
    # Memory is slow: it brings each key once, or for each head of queries.
    cached = model.cached(8192) * (4 + 16 / 128) / 8 / memory.streamed
    assert cached > one.attention_cycles / CLOCK
    waits = sum(
        n.count * (2 if n.head else 1) * chip.wait(n.inputs, n.outputs, k_top(n.inputs))
        for n in model.linears()
    )
    waits += 32 * 64 * ((chip.wait(128, 8192, 1) + chip.wait(8192, 128, 4)) // 2)
    waits += 32 * (1 + 1) * chip.wait(128, 128, 2)  # 32 heads at a time, and 8 of keys
    assert one.one_by_one
    longer = 1 / one.one_by_one - 1 / one.tokens_per_second
    assert longer == pytest.approx(3 * cached + waits / CLOCK)


def k_top(inputs: int) -> int:
    """Return the outliers on each side where there is 1 % of them."""
    return -(-inputs // 200)


@pytest.mark.parametrize(
    ("design", "heads", "runs"),
    [
        ("lookup", 200, 1 + 2 + 2),  # one tile: 128 at a time, then 64, then 8; keys in 32 and 8
        ("lookup x4", 200, 3 + 1 + 1 + 1),  # 50 of an engine in 16s, then 2; keys in 8 and 2
    ],
)
def test_heads_are_turned_in_as_few_runs_as_can_be(design: str, heads: int, runs: int) -> None:
    model = replace(MODELS["llama-3-8b"], heads=heads, kv_heads=40, layers=1)
    chip = chips()[design]
    assert _spread_wait(model, chip) == runs * chip.wait(128, 128, 2)
