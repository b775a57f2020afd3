"""The report as one page that needs nothing else: no script, no font, no network."""

from html import escape
from typing import Any

from synth.report.data import sections
from synth.report.plots import bars, scatter, treemap

# Dark text on light parts of a figure, and the other way round, stays above a contrast of 4.5.
STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #57606a; --line: #d0d7de;
  --head: #f3f5f7; --c0: #9ec5f8; --c1: #a8dcc0; --c2: #f5cd95; --c3: #d8bdf0; --c4: #f3b6b6;
  --c5: #cbd2a0; --in: #111; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa4af;
  --line: #30363d; --head: #161b22; --c0: #1f4f8f; --c1: #1d5c40; --c2: #744b10; --c3: #553178;
  --c4: #7a2d2d; --c5: #4b5320; --in: #fff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
p, figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem; overflow-wrap: anywhere; }
figure { margin: 1.5rem 0; break-inside: avoid; }
.s { overflow-x: auto; }
svg { display: block; width: 100%; max-width: 40rem; height: auto; }
.t { font: 12px system-ui, sans-serif; fill: var(--ink); }
.m { font: 12px system-ui, sans-serif; fill: var(--in); }
.g { stroke: var(--line); }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); }
.c3 { fill: var(--c3); } .c4 { fill: var(--c4); } .c5 { fill: var(--c5); }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th { background: var(--head); } th:first-child, td:first-child { text-align: left; }
.words td, .words th { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.words td:first-child { white-space: nowrap; overflow-wrap: normal; }
@media print { body { max-width: none; font-size: 10pt; } .s { overflow: visible; }
  tr { break-inside: avoid; } h2 { break-after: avoid; }
  table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; } }
"""
TREES = 6  # treemaps of the largest designs that have parts
# Fewer parts than these, of so much of the area each, are no picture.
TREE_PARTS, TREE_SHARE = 3, 0.02


def page(data: dict[str, Any]) -> str:
    """Return the whole page.

    Parameters
    ----------
    data : dict
        As :func:`synth.report.data.gather` has it.
    """
    tables = sections(data)
    body = [f"<h1>{escape(data['title'])}</h1>"]
    for number, (title, heads, rows, note) in enumerate(tables):
        body += [f"<h2>{escape(title)}</h2>", _table(heads, rows, words=number == len(tables) - 1)]
        body += [f"<p>{escape(note)}</p>"] if note else []
        body += _figures(data) if number == 0 else []
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(data['title'])}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _table(heads: list[str], rows: list[list[str]], *, words: bool) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    kind = ' class="words"' if words else ""
    return (
        f'<div class="s"><table{kind}><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _figures(data: dict[str, Any]) -> list[str]:
    designs = data["designs"]
    figures = [
        bars([(d["design"], d["ge"], d["ge_sequential"]) for d in designs]),
        scatter([(d["design"], d["products"], d["ge"]) for d in designs if d["products"]]),
    ]
    whole = sorted((d for d in designs if _has_parts(d)), key=lambda d: -d["ge"])
    for one in whole[:TREES]:
        parts = [
            (block["module"].removeprefix(f"{one['design']}_"), block["ge"] * block["copies"])
            for block in one["blocks"]
        ]
        figures.append(treemap(one["design"], parts))
    return figures


def _has_parts(design: dict[str, Any]) -> bool:
    least = TREE_SHARE * design["ge"]
    large = [b for b in design["blocks"] if b["ge"] * b["copies"] > least]
    return len(large) >= TREE_PARTS
