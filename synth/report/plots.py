"""The report's figures, as SVG that takes its colours from the page."""

import math
import re
from collections.abc import Sequence
from html import escape

# As wide as a telephone shows: nothing is cut off there, and text stays as large as around it.
WIDTH = 440
MARGIN = 80  # left of a field, for the numbers of its axis
LETTER, LINE = 7.2, 15  # what one takes of a wide font of 12
Rectangle = tuple[float, float, float, float]


def bars(entries: Sequence[tuple[str, float, float]]) -> str:
    """Return bars of designs' areas on a logarithmic scale.

    Parameters
    ----------
    entries : sequence of (name, GE, GE of flip-flops)
    """
    shown = [entry for entry in entries if entry[1] > 0]
    if not shown:
        return ""
    row, left, right = 20, 184, 76
    low = 10 ** math.floor(math.log10(min(ge for _, ge, _ in shown)))
    high = max(ge for _, ge, _ in shown)
    span = max(math.log10(high / low), 0.1)

    def length(ge: float) -> float:
        return max(2.0, (WIDTH - left - right) * math.log10(max(ge, low) / low) / span)

    parts = []
    for number, (name, ge, stored) in enumerate(shown):
        y = number * row
        share = f"{stored / ge:.0%} flip-flops"
        parts.append(
            f"<g><title>{escape(name)}: {ge:,.0f} GE, {share}</title>"
            f'<text class="t" x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="c0" x="{left}" y="{y + 3}" width="{length(ge):.1f}" height="16" rx="2"/>'
            f'<text class="t" x="{left + length(ge) + 6:.1f}" y="{y + 15}">{ge:,.0f}</text></g>'
        )
    return _svg(len(shown) * row, "".join(parts), "Area of each design, GE, logarithmic scale")


def treemap(name: str, entries: Sequence[tuple[str, float]]) -> str:
    """Return a treemap: one rectangle for each part, as large as its share of the area.

    Parameters
    ----------
    name : str
        The design.
    entries : sequence of (part, GE)
    """
    shown = sorted(
        ((p, ge) for p, ge in entries if ge > 0), key=lambda entry: (-entry[1], entry[0])
    )
    total = sum(ge for _, ge in shown)
    if not total:
        return ""
    height = 300
    parts = []
    for number, ((part, ge), (x, y, w, h)) in enumerate(
        zip(shown, squarify([ge for _, ge in shown], (0, 0, WIDTH, height)), strict=True)
    ):
        share = f"{ge / total:.1%}"
        lines = [*wrapped(part, w - 10), share]
        label = ""
        if w - 10 >= LETTER * max(map(len, lines)) and h >= LINE * len(lines) + 4:
            label = "".join(
                f'<text class="m" x="{x + 6:.1f}" y="{y + LINE * n + 1:.1f}">{escape(line)}</text>'
                for n, line in enumerate(lines, 1)
            )
        parts.append(
            f"<g><title>{escape(part)}: {ge:,.0f} GE, {share}</title>"
            f'<rect class="c{number % 6}" x="{x + 1:.1f}" y="{y + 1:.1f}"'
            f' width="{max(w - 2, 0.5):.1f}" height="{max(h - 2, 0.5):.1f}"/>{label}</g>'
        )
    return _svg(height, "".join(parts), f"{name}: area of its parts")


def wrapped(name: str, width: float) -> list[str]:
    """Return a name in lines of a width, broken behind its underscores."""
    lines = [""]
    for word in re.findall("[^_]*_|[^_]+", name):
        if lines[-1] and LETTER * len(lines[-1] + word) > width:
            lines.append("")
        lines[-1] += word
    return lines


def squarify(sizes: Sequence[float], within: Rectangle) -> list[Rectangle]:
    """Divide a rectangle in proportion to sizes, largest first, into parts that are near square.

    The method of Bruls, Huizing and van Wijk: fill rows along the shorter side as long as that
    makes the worst part of the row less oblong.
    """
    x, y, w, h = within
    scale = w * h / sum(sizes)
    waiting = [size * scale for size in sizes]
    placed: list[Rectangle] = []
    while waiting:
        side = min(w, h)
        count = 1
        while count < len(waiting) and _worst(waiting[: count + 1], side) <= _worst(
            waiting[:count], side
        ):
            count += 1
        row, waiting = waiting[:count], waiting[count:]
        depth = sum(row) / side if side else 0.0
        offset = 0.0
        for size in row:
            along = size / depth if depth else 0.0
            upright = w >= h
            placed.append(
                (x, y + offset, depth, along) if upright else (x + offset, y, along, depth)
            )
            offset += along
        if w >= h:
            x, w = x + depth, w - depth
        else:
            y, h = y + depth, h - depth
    return placed


def _worst(row: Sequence[float], side: float) -> float:
    """Return the largest ratio of sides in a row along ``side``."""
    depth = sum(row) / side
    return max(max(depth * depth / size, size / (depth * depth)) for size in row)


def scatter(points: Sequence[tuple[str, float, float]]) -> str:
    """Return area against products per cycle, both logarithmic.

    Parameters
    ----------
    points : sequence of (name, products per cycle, GE)
    """
    if len(points) < 2:
        return ""
    points = sorted(points, key=lambda point: -point[2])
    height, rows = 380, -(-len(points) // 2)
    xs, ys = [math.log10(p[1]) for p in points], [math.log10(p[2]) for p in points]
    left, right = math.floor(min(xs)), math.ceil(max(xs) + 1e-9)
    low, high = math.floor(min(ys)), math.ceil(max(ys) + 1e-9)

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - left) / max(right - left, 1)
        up = (y - low) / max(high - low, 1)
        return MARGIN + (WIDTH - MARGIN - 24) * across, height - 56 - (height - 86) * up

    parts = []
    for power in range(left, right + 1):
        x, _ = at(power, low)
        parts.append(f'<line class="g" x1="{x:.1f}" y1="20" x2="{x:.1f}" y2="{height - 56}"/>')
        parts.append(_label(x, height - 40, f"{10**power:,}", "middle"))
    for power in range(low, high + 1):
        _, y = at(left, power)
        parts.append(f'<line class="g" x1="{MARGIN}" y1="{y:.1f}" x2="{WIDTH - 24}" y2="{y:.1f}"/>')
        parts.append(_label(MARGIN - 6, y + 4, f"{10**power:,}", "end"))
    # Names would cover each other: points have numbers, right and left in turn, and a list.
    for number, ((name, products, ge), x, y) in enumerate(zip(points, xs, ys, strict=True)):
        px, py = at(x, y)
        title = f"{escape(name)}: {products:,.0f} products a cycle, {ge:,.0f} GE"
        away, anchor = ((8, "start"), (-8, "end"))[number % 2]
        row, column = number % rows, number // rows
        parts.append(
            f'<g><title>{title}</title><circle class="c0" cx="{px:.1f}" cy="{py:.1f}" r="5"/>'
            f"{_label(px + away, py + 4, str(number + 1), anchor)}"
            f"{_label(22 + 220 * column, height + LINE * row, f'{number + 1}', 'end')}"
            f"{_label(28 + 220 * column, height + LINE * row, name, 'start')}</g>"
        )
    parts.append(_label(WIDTH / 2, height - 22, "products a cycle", "middle"))
    return _svg(height + LINE * rows, "".join(parts), "Area, GE, against products a cycle")


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="t" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, body: str, label: str) -> str:
    said = escape(label)
    return (
        f'<figure><figcaption>{said}</figcaption><div class="s"><svg role="img"'
        f' aria-label="{said}" viewBox="0 0 {WIDTH} {height:.0f}">{body}</svg></div></figure>'
    )
