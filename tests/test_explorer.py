"""The explorer: its grid is that of ``kllm cycles``, and its page holds all that it needs."""

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import gateware.system.explore as module
import kllm.app
from gateware.system.designs import chips
from gateware.system.estimate import Phase, estimate
from golden.base.errors import InputError
from golden.system.memories import MEMORIES
from golden.system.published import gpu
from golden.system.shapes import MODELS
from synth.report.explorer import NAMES, PARTS

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = {name: (PARTS / name).read_text(encoding="utf-8") for name in NAMES}
TWO = {"int4": 4, "counter": 4}


@pytest.fixture
def two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave an array and an engine, for speed."""
    few = {name: (chips()[name], bits) for name, bits in TWO.items()}
    monkeypatch.setattr(module, "engines", lambda: few)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(kllm.app.build_app(), ["report", *arguments])


def made(folder: Path, *models: str) -> tuple[dict[str, Any], str]:
    named = [word for model in models for word in ("--model", model)]
    result = run("--only-explorer", "-o", str(folder), *named)
    assert result.exception is None, result.output
    assert [*folder.glob("report.*")] == []
    page = (folder / "explorer.html").read_text(encoding="utf-8")
    return json.loads((folder / "explorer.json").read_text(encoding="utf-8")), page


def test_the_grid_is_what_estimates_are(
    two_engines: None, tmp_path: Path, rng: np.random.Generator
) -> None:
    data, _ = made(tmp_path, "lm", "llama-3-8b")
    axes = [data["models"], data["engines"], *(data[key] for key in ("phases", "batches"))]
    axes.append(data["contexts"])
    places = list(product(*axes))
    assert {len(column) for column in data["values"].values()} == {len(places)}
    for n in rng.choice(len(places), 40).tolist():
        model, engine, phase, batch, context = places[n]
        memory = data["memories"][int(rng.integers(len(MEMORIES)))]
        one = estimate(
            MODELS[model["name"]],
            chips()[engine["design"]],
            MEMORIES[memory["key"]],
            Phase(context=context, batch=batch, prefill=phase == "prompt"),
        )
        speed, dram = memory["tokens_per_second"][n], memory["dram_mj"][n]
        assert speed == pytest.approx(one.tokens_per_second, rel=1e-6)
        assert dram == pytest.approx(one.dram_mj, rel=1e-6)
        assert memory["bound"][n] == one.bound[0]
        of = {key: column[n] for key, column in data["values"].items()}
        assert of["array_mj"] + of["sram_mj"] == pytest.approx(one.chip_mj, rel=1e-6)
        assert of["products"] / of["bytes"] == pytest.approx(one.products / one.bytes, rel=1e-6)
        cycles = one.linear_cycles + one.attention_cycles
        assert of["linear_cycles"] + of["attention_cycles"] == pytest.approx(cycles / one.tokens)
        if (phase, batch) == ("decode", 1):
            place = n // (len(data["phases"]) * len(data["batches"]) * len(data["contexts"]))
            alone = place * len(data["contexts"]) + data["contexts"].index(context)
            assert memory["one_by_one"][alone] == (one.one_by_one and module.short(one.one_by_one))


def test_the_page_needs_nothing_else(two_engines: None, tmp_path: Path) -> None:
    data, page = made(tmp_path, "lm")
    (kept,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert json.loads(kept) == data
    own = page.replace(re.findall(r"<script>(/\*\*.*?)</script>", page, re.S)[0], "")
    assert len(page) - len(own) > 1e6  # the whole of Plotly
    assert not re.search(r"""(src|href)=["'](?!#|data:)|@import|url\(|https?:""", own)
    assert not re.search("@[A-Z]+@", own)  # all places are filled
    ids = re.findall(r' id="(\w+)"', SCRIPTS["page.html"])
    assert len(ids) == len(set(ids))
    asked = set(re.findall(r'\$\("(\w+)"\)|put\("(\w+)"', SCRIPTS["script.js"]))
    assert {name for pair in asked for name in pair if name} <= set(ids)
    for chart in ("energy", "roof", "context", "parts", "area"):
        assert f"chart_{chart}" in ids
        assert f"function {chart}(" in SCRIPTS["charts.js"]
    assert {"prefers-color-scheme: dark", "@media print", ":focus-visible"} <= set(
        re.findall(r"prefers-color-scheme: dark|@media print|:focus-visible", page)
    )


def test_what_ends_a_script_cannot_stand_in_it(two_engines: None, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    sizes = {"hidden_size": 256, "num_attention_heads": 4, "num_hidden_layers": 2}
    name = {"_name_or_path": "</script><b>", "vocab_size": 99, "intermediate_size": 512}
    config.write_text(json.dumps(sizes | name))
    data, page = made(tmp_path / "out", str(config))
    assert data["models"][0]["argument"] == str(config)
    assert data["models"][0]["name"] == "</script><b>"
    assert page.count("</script>") == 3


def test_refusals(two_engines: None, tmp_path: Path) -> None:
    for arguments, said in (
        (("--only-explorer", "--model", "minilm"), "minilm generates no tokens"),
        (("--only-explorer", "--model", "lma"), "near are lm"),
        (("--only-explorer", "tiny"), "--only-explorer has no areas: leave out"),
    ):
        error = run(*arguments, "-o", str(tmp_path)).exception
        assert isinstance(error, InputError)
        assert said in str(error)


def test_engines_are_all_designs_in_all_forms() -> None:
    found = module.engines()
    assert {chip.name for chip, _ in found.values()} == set(chips())
    lookups = {key: (chip.energy, bits) for key, (chip, bits) in found.items() if "lookup" in key}
    assert lookups["lookup A5"] == ("lookup A5", 5)
    assert lookups["lookup x4 A4"] == ("lookup", 4)
    assert len(lookups) == 6


def test_accuracies_are_those_that_were_measured() -> None:
    rows = json.loads((ROOT / "docs" / "accuracy.json").read_text(encoding="utf-8"))
    measured = {row["label"]: row["lm"] for row in rows}
    for grown, error, label in module.PERPLEXITY.values():
        if label in measured:
            assert grown == pytest.approx(measured[label]["increase"], abs=5e-5)
            assert error == pytest.approx(measured[label]["standard_error"], abs=5e-5)
    assert sum(label in measured for *_, label in module.PERPLEXITY.values()) == 4
    page = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    assert f"FP32's perplexity on these windows is {module.FULL_PRECISION}" in page


def test_marks_by_hand() -> None:
    found = [*module.marks([MODELS["llama-2-7b"], MODELS["lm"]])]
    assert {mark.model for mark in found} == {"llama-2-7b"}
    paper = next(mark for mark in found if mark.name.startswith("KLLM paper"))
    # 617 tokens a second at 9.66 W, and 64.2 W of HBM2: 2.048 TB/s at 3.92 pJ a bit.
    assert paper.chip_mj == pytest.approx(9660 / 617)
    assert paper.whole_mj == pytest.approx((9660 + 2.048e12 * 8 * 3.92e-9) / 617)
    h200 = next(m for m in found if "H200, int4" in m.name and (m.batch, m.context) == (4, 1024))
    row = next(
        row
        for row in gpu()["decode"]
        if (row["model"], row["format"], row["batch"]) == ("llama-2-7b", "int4", 4)
    )
    assert (h200.tokens_per_second, h200.whole_mj) == (
        row["tokens_per_s"],
        row["joule_per_token"] * 1e3,
    )
    weights, heads = MODELS["llama-2-7b"].weights, 32 * 32 * 128
    products = weights + 2 * heads * 1024
    assert h200.rate == pytest.approx(products * row["tokens_per_s"])
    read = weights * 4.25 / 8 / 4 + 2 * heads * 1024 * 2
    assert h200.intensity == pytest.approx(products / read)
