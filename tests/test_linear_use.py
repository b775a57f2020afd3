"""Tests of what a LINEAR of several vectors uses of a chip."""

import json
from pathlib import Path

import pytest

from sim.chip import linear_use

NAME = "chip_tiny"
DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_vectors_that_share_tiles_use_the_array_better(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = ["--chip", NAME, "--inputs", "16", "--outputs", "24"]
    linear_use.main([*sizes, "--json", str(tmp_path / "use.json")])
    found = json.loads((tmp_path / "use.json").read_text())
    assert (found["chip"], found["inputs"], found["outputs"]) == (NAME, 16, 24)
    one, *_, most = found["rows"]
    assert (one["vectors"], most["vectors"]) == (1, 4)
    assert most["products"] > one["products"]
    assert most["products"] == round(24 * 16 // 16 * 4 / most["cycles"], 4)
    assert most["read_bytes"] == one["read_bytes"], "each weight is read once"
    assert f"{most['cycles']:8.0f}" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        linear_use.main(["--chip", NAME, "--inputs", "65"])
    assert "chip_tiny takes up to 64 inputs" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "products"), [("large", 0.9), ("edge", 0.95)])
def test_sixteen_vectors_fill_the_array(name: str, products: float) -> None:
    """What docs/chip.md says is what is kept."""
    found = json.loads((DOCS / f"linear_use_{name}.json").read_text())
    last = found["rows"][-1]
    assert last["vectors"] == 16
    assert last["with_outliers"] >= products
    page = (DOCS / "chip.md").read_text()
    for row in found["rows"]:
        figures = f"{row['cycles']:,.0f} | {row['with_outliers']:.1%} | {row['bus']:.1%} |"
        assert f"| `{found['chip']}` | {row['vectors']} | {figures}" in page
