"""OpenSTA's complaints are errors, and foreign spellings of a library give the same figures."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import synth.timing.sta
from golden.base.cache import Cache
from golden.base.errors import InputError, ToolError
from synth.area.area import Area
from synth.area.measure import measure_all
from synth.libraries.liberty import Library, read
from tests.test_synth_timing import Accumulator, design_of

HEAD = "library(osu018_stdcells) {"
BITS = 6


@pytest.fixture(autouse=True)
def needs_opensta() -> None:
    if not synth.timing.sta.opensta().will_do:
        pytest.skip(f"no OpenSTA: {synth.timing.sta.opensta().problem}")


def area_of(library: Library) -> Area:
    return measure_all([design_of(Accumulator(BITS))], library, cache=Cache(None))[0]


def named(text: str) -> str:
    return text.replace("FAX1", "FA-X.1$").replace("DFFPOSX1", '"DFF/POS[0]"')


def commented(text: str) -> str:
    text = text.replace(
        "cell (XOR2X1)", "// larger cells } {\n cell /* here */ (/* as\n */XOR2X1 )"
    )
    return text.replace("area : 16;", "area /* of\n all */ : // um2\n 16 ;")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "odd header": lambda text: text.replace(HEAD, f"{HEAD} revision : .x.x; date : 1/2 + 4:30;"),
    "odd unquoted": lambda text: text.replace(HEAD, f"{HEAD} comment : (c) 2020, {{me"[:-4] + ";"),
    "comments": commented,
    "CR": lambda text: text.replace("\n", "\r"),
    "CR LF": lambda text: text.replace("\n", "\r\n"),
    "names": named,
    "keywords": lambda text: text.replace("FAX1", "endmodule").replace("DFFPOSX1", "input"),
    "escaped quotes": lambda text: text.replace(
        HEAD, f'{HEAD} comment : "a \\"b // c\\" }} {{ (";'
    ),
    "continued": lambda text: re.sub(r"(area|direction) :", r"\1 \\\n : \\\n", text),
    "no unit": lambda text: text.replace('time_unit : "1ns";', ""),
    "long units": lambda text: text.replace('"1ns"', "1e0 NS").replace("(1,pf)", '("1e0", "PF")'),
    "byte order mark": lambda text: "\ufeff" + text,
    "not ASCII": lambda text: text.replace(HEAD, f"{HEAD} comment : 0.18 µm;"),
}


@pytest.fixture(scope="module")
def plain(library: Library) -> Area:
    return area_of(library)


@pytest.mark.parametrize("name", SPELLINGS)
def test_the_same_library_spelt_otherwise(
    name: str, library: Library, plain: Area, tmp_path: Path
) -> None:
    before = library.sources[library.files[0]]
    text = SPELLINGS[name](before)
    assert text != before
    path = tmp_path / "other.lib"
    path.write_bytes(text.encode())
    found = area_of(read([path]))
    assert found.area == plain.area
    assert found.delay_ps == pytest.approx(plain.delay_ps, rel=1e-6)
    assert found.fo4_ps == pytest.approx(plain.fo4_ps, rel=1e-9)


@pytest.mark.parametrize(
    "said",
    [
        "Error: used0.lib, line 7 syntax error",
        "Error: used0.lib line 7, syntax error",
        "Warning: used0.lib, line 7 cell FAX1 not found",
        "Warning: timing.v, line 3 module X not found.  Creating black box for g0.",
        "Error: timing.tcl, 3 no such pin",
    ],
)
def test_complaints_are_errors(
    said: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever OpenSTA prints after that: it has left something out."""
    script = tmp_path / "sta"
    lines = [said, "Startpoint: r0 (x)", "Endpoint: r0 (x)", "   -1.0   slack (VIOLATED)"]
    script.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    text = re.sub(r"used0\.lib,? line 7,?", f"{library.files[0].name}, line 7:", said)
    reason = text.split(": ", 1)[1]
    with pytest.raises(ToolError, match=rf"OpenSTA says: {re.escape(reason)}"):
        area_of(library)
    script.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines[1:]) + "\nEND\n")
    assert area_of(library).delay_ps == 2


@pytest.mark.parametrize(
    "lines", ["No paths found.", "Startpoint: r0\nEndpoint: r0\n 1 slack (MET)"]
)
def test_registers_are_never_for_nothing(
    lines: str, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "sta"
    script.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ToolError, match=r"OpenSTA gives (no path|a delay of 0 ps with registers)"):
        area_of(library)


@pytest.mark.parametrize(
    ("cell", "pattern", "said"),
    [
        ("FAX1", "cell_(rise|fall)", "says by its ABC: Reading SCL library"),
        ("DFFPOSX1", "cell_(rise|fall)", "cell DFFPOSX1: output Q has no delays"),
        ("FAX1", 'related_pin : "C"', r"cell FAX1\w*: input C has no timing"),
        ("DFFPOSX1", "timing", "cell DFFPOSX1: "),
    ],
)
def test_arcs_that_are_missing(
    cell: str, pattern: str, said: str, library: Library, tmp_path: Path
) -> None:
    """OpenSTA says nothing of such a cell: paths through it are not there."""
    text = library.sources[library.files[0]]
    start = text.index(f"cell ({cell})")
    end = text.index("\ncell (", start)
    path = tmp_path / "poor.lib"
    changed, times = re.subn(pattern, lambda found: f"un{found[0]}", text[start:end])
    assert times
    path.write_text(text[:start] + changed + text[end:])
    with pytest.raises((InputError, ToolError), match=said):
        area_of(read([path]))
