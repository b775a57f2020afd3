"""The report: one set of data as a page, as Markdown and as JSON."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import kllm.app
import synth.area.paper_units
import synth.report.data
from gateware.points import point
from golden.base.errors import InputError
from synth.area.paper_units import MAC, PAPER_MAC, PaperUnit, paper_units
from synth.libraries.liberty import Library
from synth.report.data import markdown, products_per_cycle, read_table, text_of
from synth.report.plots import bars, scatter, squarify, treemap

VOID = {"meta", "link", "br"}


class Balanced(HTMLParser):
    """Checks that each element is closed, and keeps what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.seen.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element that is closed at once."""
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        assert self.open.pop() == tag


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave one unit of the paper's, for speed."""
    units = (PaperUnit("Unit <1>", PAPER_MAC / 2, point("fp16_add")),)
    monkeypatch.setattr(synth.area.paper_units, "paper_units", lambda: units)


def run(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), ["report", *arguments])


def test_command(small: None, library: Library, tmp_path: Path) -> None:
    other = tmp_path / "eval.json"
    other.write_text(json.dumps([{"recipe": "a|b", "error": 0.125, "list": [1]}, {"recipe": "c"}]))
    folder = tmp_path / "new" / "report"
    result = run("orizuru_unit", MAC, "--table", str(other), "-o", str(folder))
    assert result.exit_code == 0, result.output
    data = json.loads((folder / "report.json").read_text())
    unit, mac = data["designs"]
    assert (unit["design"], mac["design"]) == ("orizuru_unit", MAC)
    (paper,) = data["paper"]
    assert paper["ratio"] == pytest.approx(paper["ge"] / mac["ge"])
    assert data["provenance"]["library"] == library.name
    assert data["tables"][0]["columns"] == ["recipe", "error"]

    page = (folder / "report.html").read_text()
    found = Balanced()
    found.feed(page)
    assert not found.open
    assert not found.references  # nothing from elsewhere
    assert "script" not in found.seen
    assert found.seen.count("table") == 4
    assert "Unit &lt;1&gt;" in page
    assert "width=device-width" in page
    assert {"prefers-color-scheme: dark", "@media print"} <= set(
        re.findall(r"prefers-color-scheme: dark|@media print", page)
    )
    text = (folder / "report.md").read_text()
    assert text == markdown(data)
    assert f"| orizuru_unit | {text_of(unit['ge'])} |" in text
    assert "| a\\|b | 0.125 |" in text


@pytest.mark.parametrize(
    ("name", "products"),
    [
        ("tiny", 4 * 4),
        ("int4_lane", 16),
        ("int4_array", 16 * 16),
        ("counter_small", 32 * 4),
        ("index_counter", 0),
        ("fp16_fma", 0),
    ],
)
def test_products_by_hand(name: str, products: int) -> None:
    assert products_per_cycle(point(name)) == products


def test_units_of_the_paper_exist_here() -> None:
    units = {unit.name: unit for unit in paper_units()}
    assert len(units) == 7
    assert units["Concat Unit"].area / PAPER_MAC == pytest.approx(1 / 132, rel=0.01)
    assert units["Index Counter, 16 inputs"].area / PAPER_MAC == pytest.approx(3.03, rel=0.01)
    assert units["Clustering Unit"].area / PAPER_MAC == pytest.approx(0.117, rel=0.01)
    for unit in units.values():
        assert unit.ours.make()


@pytest.mark.parametrize("text", ["no", "[]", "3", "[1]"])
def test_no_table_is_one_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x.json is no"):
        read_table(path)
    with pytest.raises(InputError, match="cannot read"):
        read_table(tmp_path / "none.json")


def test_treemap_fills_its_rectangle() -> None:
    sizes = [50.0, 30.0, 10.0, 6.0, 3.0, 1.0]
    placed = squarify(sizes, (0, 0, 200, 100))
    for size, (x, y, w, h) in zip(sizes, placed, strict=True):
        assert w * h == pytest.approx(size * 200)
        assert -1e-9 <= x <= x + w <= 200 + 1e-6
        assert -1e-9 <= y <= y + h <= 100 + 1e-6
        assert max(w / h, h / w) < 6
    for n, (x, y, w, h) in enumerate(placed):
        for a, b, c, d in placed[:n]:
            apart = a + c <= x + 1e-6 or x + w <= a + 1e-6 or b + d <= y + 1e-6 or y + h <= b + 1e-6
            assert apart


def test_figures_are_drawn_of_what_there_is() -> None:
    assert bars([("none", 0.0, 0.0)]) == ""
    assert treemap("x", []) == ""
    assert scatter([("one", 1.0, 1.0)]) == ""
    lengths = [
        float(n)
        for n in re.findall(
            r'width="([\d.]+)" height="16"',
            bars([("a", 100.0, 0.0), ("b", 1000.0, 0.0), ("c", 10000.0, 0.0)]),
        )
    ]
    assert lengths[1] - lengths[0] == pytest.approx(lengths[2] - lengths[1], abs=3)
    assert "<circle" in scatter([("a<b", 1.0, 10.0), ("c", 10.0, 1000.0)])
    assert "a&lt;b" in scatter([("a<b", 1.0, 10.0), ("c", 10.0, 1000.0)])
