"""The report: one set of data as a page, as Markdown and as JSON."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gateware.system.explore
import kllm.app
import synth.area.paper_units
import synth.report.data
from gateware.points import point
from gateware.system.designs import chips
from golden.base.errors import InputError
from synth.area.measure_design import measure
from synth.area.paper_units import MAC, PAPER_MAC, PaperUnit, paper_units
from synth.area.tables import caption
from synth.libraries.liberty import Library
from synth.report.data import markdown, products_per_cycle, read_table, text_of
from synth.report.page import STYLE
from synth.report.plots import LETTER, WIDTH, bars, scatter, squarify, treemap, wrapped

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
    """Leave one unit of the paper's, and one array in the explorer, for speed."""
    one = {"int4": (chips()["int4"], 4)}
    monkeypatch.setattr(gateware.system.explore, "engines", lambda: one)
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


def texts(figure: str) -> list[tuple[float, str, str]]:
    """Return where each text of a figure is anchored, how, and what it says."""
    found = re.findall(r'<text class="." x="([-\d.]+)"[^>]*?(?:anchor="(\w+)")?>([^<]*)<', figure)
    return [(float(x), anchor or "start", text) for x, anchor, text in found]


LONGEST = "counter_minilm_symmetric"


@pytest.mark.parametrize(
    "figure",
    [
        bars([(LONGEST, 1_234_567.0, 1.0), ("b", 10.0, 0.0)]),
        scatter([(LONGEST, 1.0, 1_234_567.0), ("right", 9999.0, 10.0), *[(LONGEST, 2.0, 9.0)] * 9]),
        treemap("x", [("fp16_compensation_array", 50.0), ("b" * 60, 30.0), ("c", 20.0)]),
    ],
)
def test_no_text_of_a_figure_is_cut_off(figure: str) -> None:
    """The page shows figures in the width that there is, a telephone's, too."""
    shares = {"start": 0.0, "middle": 0.5, "end": 1.0}
    assert len(texts(figure)) >= 3
    for x, anchor, text in texts(figure):
        length = LETTER * len(text)
        assert x - shares[anchor] * length >= 0, text
        assert x + (1 - shares[anchor]) * length <= WIDTH, text
    assert "min-width" not in STYLE


def test_large_parts_of_a_treemap_have_their_names() -> None:
    """Their tiles are narrower than the names, which are broken into lines."""
    names = ["fp16_counter_array", "fp16_compensation_array", "fp16_count_multiply", "token_ingest"]
    shown = treemap("x", list(zip(names, (44.0, 20.0, 14.0, 22.0), strict=True)))
    joined = "".join(text for _, _, text in texts(shown))
    assert all(name in joined for name in names)
    assert wrapped("fp16_count_tree", 10 * LETTER) == ["fp16_", "count_tree"]
    assert wrapped("plain", 1.0) == ["plain"]


def test_what_the_page_says_is_no_advice_for_the_command_line(library: Library) -> None:
    assert "--" not in caption([measure(point("fp16_add"), library)])
