"""Whole models: shapes, estimates by hand, the paper's figures, and the page that shows them."""

import json
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.system import compare, paper
from gateware.system.designs import CLOCK, chips
from gateware.system.energies import array_pj
from gateware.system.estimate import CHIP_OVER_ARRAY, Phase, estimate
from golden.base.errors import InputError, ToolError
from golden.system.memories import MEMORIES, SRAM_PJ_PER_BIT, hbm2
from golden.system.published import beside, peers
from golden.system.shapes import MODELS, model_shape
from sim.run import cycle_check
from synth.power.arrays import line_row

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "system.md").read_text(encoding="utf-8")
L7B = MODELS["llama-2-7b"]
CONFIG = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 512,
    "vocab_size": 1000,
}


def run(*arguments: str) -> Any:
    return CliRunner().invoke(kllm.app.build_app(), [*arguments], env={"COLUMNS": "240"})


def kept(name: str) -> list[dict[str, Any]]:
    return json.loads((ROOT / "docs" / f"{name}.json").read_text(encoding="utf-8"))


def test_weights_of_models_by_hand() -> None:
    assert L7B.weights == 32 * (4 * 4096**2 + 3 * 4096 * 11008) + 32000 * 4096
    opt = 32 * (4 * 4096**2 + 2 * 4096 * 16384) + 50272 * 4096
    assert MODELS["opt-6.7b"].weights == opt
    grouped = MODELS["llama-3-8b"]
    assert grouped.cached(1024) == 2 * 32 * 8 * 128 * 1024
    assert [one.outputs for one in grouped.linears()][:3] == [4096, 1024, 1024]
    assert not any(one.head for one in MODELS["minilm"].linears())


def test_a_config_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    shape = model_shape(str(path))
    assert (shape.head_width, shape.kv_heads, shape.gated) == (32, 2, True)
    assert shape.weights == 2 * (2 * 256**2 + 2 * 256 * 64 + 3 * 256 * 512) + 1000 * 256
    plain = {"model_type": "opt", "head_dim": 64, "num_key_value_heads": None}
    path.write_text(json.dumps(CONFIG | plain))
    assert model_shape(str(path)).kv_heads == 8
    assert (model_shape(str(path)).gated, model_shape(str(path)).head_width) == (False, 64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hidden_size": None}, "hidden_size or n_embd must be an integer from 1"),
        ({"vocab_size": 1.5}, "vocab_size must be an integer .* got 1.5"),
        ({"hidden_size": 255}, "hidden_size 255 is no multiple of 8 heads"),
        ({"num_key_value_heads": 3}, "8 heads are no multiple of 3"),
    ],
)
def test_a_wrong_config_is_told(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG | change))
    with pytest.raises(InputError, match=said):
        model_shape(str(path))


def test_unknown_names_are_told(tmp_path: Path) -> None:
    for arguments, said in (
        (["llama-2-7"], "llama-2-7b"),
        (["lm", "--memory", "hbm"], "hbm3"),
        (["lm", "--design", "lokup"], "lookup"),
        (["lm", "--context", "0"], "--context must be from 1"),
        (["lm", "--batch", "17"], "--batch must be from 1 to 16"),
        (["lm", "--outliers", "11"], "0 to 10 percent"),
        (["lm", "--bits-a", "6"], "4, 5 or 8"),
        ([str(tmp_path / "none.json")], "cannot read"),
        (["lm", "--check"], "leave out MODEL|leave out"),
    ):
        found = run("cycles", *arguments).exception
        assert isinstance(found, InputError), (arguments, found)
        assert any(word in str(found) for word in said.split("|")), (arguments, found)


def test_slow_memory_decides_alone_by_hand() -> None:
    """LPDDR5: linear layers take the time of their bytes, attention that of its cycles."""
    memory, chip = MEMORIES["lpddr5"], chips()["lookup"]
    one = estimate(L7B, chip, memory, Phase())
    linears = [*L7B.linears()]
    weights = sum(n.weights * 4 + 32 * n.outputs * n.count for n in linears)
    weights += linears[-1].weights * 4 + 32 * linears[-1].outputs  # the head's second code
    cached = L7B.cached(1024) * (4 + 16 / 128)
    assert one.bytes == pytest.approx((weights + cached) / 8)
    attention = max(one.attention_cycles / CLOCK, cached / 8 / memory.streamed)
    assert one.tokens_per_second == pytest.approx(1 / (weights / 8 / memory.streamed + attention))
    assert one.bound == "memory"
    assert one.dram_mj == pytest.approx((weights + cached) * 7 * 1e-9)
    products = L7B.weights + 32000 * 4096 + 2 * 32 * 32 * 128 * 1024
    assert one.array_mj == pytest.approx(products * array_pj("lookup A8") * CHIP_OVER_ARRAY * 1e-9)
    assert one.sram_mj == pytest.approx((weights + cached) * SRAM_PJ_PER_BIT * 1e-9)
    assert one.whole_mj == one.array_mj + one.sram_mj + one.dram_mj


def test_what_a_design_and_a_phase_change() -> None:
    memory = hbm2(8)

    def of(design: str, **phase: Any) -> Any:
        return estimate(L7B, chips()[design], memory, Phase(**phase))

    one, many = of("int4"), of("int4", batch=16)
    assert one.bound == "memory"
    assert many.bound == "array"
    assert many.tokens_per_second < 16 * one.tokens_per_second
    assert many.dram_mj < one.dram_mj / 8
    alone, four = of("lookup"), of("lookup x4")
    assert four.attention_cycles < alone.attention_cycles / 3
    assert alone.one_by_one < alone.tokens_per_second < four.tokens_per_second
    assert of("lookup", context=131072).attention_cycles > 30 * alone.attention_cycles
    prompt = of("lookup", prefill=True)
    assert prompt.one_by_one is None
    # Of a prompt's last token alone the output head is computed.
    assert prompt.linear_cycles < 1024 * alone.linear_cycles
    assert alone.linear_cycles > L7B.weights / 8192
    assert estimate(L7B, chips()["counter"], memory, Phase(), outliers=10).linear_cycles > (
        5 * of("counter").linear_cycles
    )


def test_one_layer_after_another_by_hand() -> None:
    """What a token waits for is added for each layer, and for the heads of each engine in turn."""
    chip, model, memory = chips()["lookup x4"], MODELS["opt-6.7b"], hbm2(8)
    one = estimate(model, chip, memory, Phase(), outliers=0)
    sizes = {
        (4096, 1024): 32 * 4,  # a quarter of 4096 channels for each engine
        (4096, 4096): 32,
        (4096, 12568): 2,  # the head has two codes
        (16384, 1024): 32,
    }
    waits = sum(count * chip.wait(*size, 0) for size, count in sizes.items())
    head = chip.wait(128, 1024, 1) + chip.wait(1024, 128, 4)
    waits += 2 * 32 * 32 // 4 * (head // 2)
    # Eight heads of queries are turned one behind the other, and eight of keys.
    waits += 32 * (1 + 1) * chip.wait(128, 128, 2)
    assert one.one_by_one == pytest.approx(CLOCK / (CLOCK / one.tokens_per_second + waits))


def test_the_whole_table_is_there_in_ten_seconds() -> None:
    began = process_time()
    rows = json.loads(run("compare", "--all", "--json", "-").output)
    assert process_time() - began < 10
    assert len(rows) == 12 * 3 * 5
    for row, old in zip(rows, kept("whole_models"), strict=True):
        assert row == {k: pytest.approx(v) if isinstance(v, float) else v for k, v in old.items()}
    shown = run("compare", "--all", "--from", str(ROOT / "docs" / "whole_models.json"))
    one = next(r for r in rows if (r["model"], r["design"]) == ("opt-30b", "int8"))
    assert f"{one['tokens_per_second']:.3g}, {one['whole_mj']:.3g}" in shown.output


def test_the_paper_is_reproduced() -> None:
    rows = [row.as_json() for row in paper.reproduction()]
    assert all(row["holds"] for row in rows), [row for row in rows if not row["holds"]]
    exact = [row for row in rows if row["most"] == 0]
    assert [row["ours"] for row in exact] == [2048, 1344]
    assert {row["most"] for row in rows if row["quantity"].startswith("traffic")} == {0.5}
    assert not paper.Row(quantity="x", paper=100, ours=102).holds
    assert not paper.Row(quantity="x", paper=76, ours=75.4, unit="%", most=0.5).holds


def test_what_does_not_hold_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "CLOCK", CLOCK * 1.02)
    found = run("paper").exception
    assert isinstance(found, ToolError)
    assert "tokens/s, llama-2-7b" in str(found)


def test_page_has_the_whole_table() -> None:
    file = str(ROOT / "docs" / "whole_models.json")
    shown = run("compare", "--all", "--from", file, "--markdown").output.strip()
    assert shown in PAGE
    assert len(shown.splitlines()) == 2 + 12


@pytest.mark.parametrize("name", ["paper", "compare"])
def test_page_shows_what_is_kept_and_that_is_what_comes_out(name: str) -> None:
    assert (
        run(name, "--from", str(ROOT / "docs" / f"{name}.json"), "--markdown").output.strip()
        in PAGE
    )
    now = json.loads(run(name, "--json", "-").output)
    assert [row.keys() for row in now] == [row.keys() for row in kept(name)]
    for row, old in zip(now, kept(name), strict=True):
        for key, value in row.items():
            assert value == (pytest.approx(old[key]) if isinstance(value, float) else old[key])


def test_goals_of_the_page() -> None:
    """The page's sentences have the figures that follow from the table."""
    rows, page = kept("compare"), " ".join(PAGE.split())
    for one in compare.goals(rows):
        assert f"{one['speed']:.1f} (`{one['name']}`)" in page
        assert f"{one['one_by_one']:.1f} one layer after another" in page
        assert f"{one['joules']:.1f} times" in page
        assert f"at 7 pJ the gain is {one['joules_dear']:.1f}" in page
    shown = run("compare").output
    assert "tokens for a joule" in shown


def test_gpus_are_those_that_were_measured() -> None:
    found = {one.name: one for one in beside()}
    h200 = found["H200, int4, CUDA graph"]
    assert (h200.tokens_per_second, h200.joules) == (240.7, 1.55)
    assert h200.per_terabyte == pytest.approx(50.1, abs=0.1)
    a100 = found["A100, int4"]
    assert (a100.per_terabyte, a100.bound) == (pytest.approx(98.4), "at most")
    every = [*peers()]
    assert {one.model for one in every} > {"llama-2-7b", "llama-2-13b", "llama-3-8b"}
    (four,) = [
        one for one in every if (one.model, one.form, one.batch) == ("llama-3-8b", "int4", 4)
    ]
    assert (four.tokens_per_second, four.context) == (735.0, 1024)


def test_the_paper_s_line_is_the_sum_of_its_parts() -> None:
    facts = {"library": "x", "volts": 1, "clock_ps": 2}
    rows = {
        f"line, {part}": facts | {"pj": pj, "ge": 10 * pj, "area": 3 * pj}
        for part, pj in (("counter", 2.0), ("bin", 0.5), ("tree", 4.0))
    }
    found = line_row(rows)
    assert found["pj"] == (32 * 2 + 256 * 0.5 + 4) / 512
    assert (found["ge"], found["area"]) == (10 * found["pj"], 3 * found["pj"])


def test_a_formula_that_is_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    good = cycle_check.Check(
        design="tiny", inputs=3, outputs=4, k_top=1, what="cycles", formula=5, simulated=5
    )
    found = [good, replace(good, simulated=6)]
    monkeypatch.setattr(cycle_check, "check_cycles", lambda *_, **__: iter(found))
    result = run("cycles", "--check")
    assert isinstance(result.exception, ToolError)
    assert "3 x 4 with 1 outliers on each side: cycles take 6 cycles, not 5" in str(
        result.exception
    )
    assert "1 shapes, 2 numbers, 1 differ" in result.output


@pytest.mark.parametrize(
    "design",
    [
        pytest.param("int4_array_16x2", marks=pytest.mark.slow),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in cycle_check.DESIGNS
            if name != "int4_array_16x2"
        ),
    ],
)
def test_formulas_are_simulation_s(design: str, needs: Any) -> None:
    needs("verilator")
    found = [*cycle_check.check_cycles(7, designs=(design,), say=lambda *_: None)]
    assert len(found) >= cycle_check.SHAPES
    assert [one for one in found if not one.right] == []


def test_a_figure_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "roof.svg"
    assert run("cycles", "lm", "--plot", str(path)).exception is None
    assert "<svg" in path.read_text(encoding="utf-8")
    assert "llama-2-70b" in run("cycles", "--list").output
