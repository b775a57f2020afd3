"""Running a sweep: what is known is not measured again, and every figure is kept as it comes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from distributed import Client

from golden.base.cache import Cache
from synth.sweep.cluster import run_all
from synth.sweep.measure_point import Figures, measure_point, point_digest
from synth.sweep.points import Plan, Point

KIND = "sweep"
Measure = Callable[..., Figures]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What came of a point: its figures, or an empty dictionary and the reason."""

    point: Point
    figures: Figures
    problem: str = ""


def known_points(plan: Plan, cache: Cache) -> tuple[dict[Point, Figures], dict[str, Point]]:
    """Return the points that have been measured before, and the others by keys of theirs.

    Raises
    ------
    InputError
        When there is no such library.
    """
    found: dict[Point, Figures] = {}
    missing: dict[str, Point] = {}
    for point in plan.points:
        key = point_digest(point)
        figures = cache.get(KIND, key, _read) if key else None
        if figures is not None:
            found[point] = figures
        else:
            missing[key or f"unknown-{len(missing)}"] = point
    return found, missing


def run_points(
    client: Client,
    missing: dict[str, Point],
    cache: Cache,
    done: Callable[[Measured], None],
    *,
    timeout: float,
    measure: Measure = measure_point,
) -> None:
    """Measure points on workers.

    Parameters
    ----------
    client : Client
        From :func:`synth.sweep.cluster.workers`.
    missing : dict of str to Point
        From :func:`known_points`.
    cache : Cache
        Keeps the figures of each point, as soon as it has them.
    done : callable
        Told of each point.
    timeout : float
        As for ``measure``.
    measure : callable
        What to do, as :func:`synth.sweep.measure_point.measure_point` does.

    Raises
    ------
    ToolError
        When the scheduler goes away. What came before is kept.
    """

    def take(key: str, result: object | None, problem: str) -> None:
        figures = result if isinstance(result, dict) else {}
        if figures:
            cache.put(KIND, key, json.dumps(figures).encode())
        done(Measured(point=missing[key], figures=figures, problem=problem))

    run_all(client, missing, partial(measure, timeout=timeout), take)


def front(measured: Sequence[Measured], weighed: Sequence[str]) -> set[Point]:
    """Return the points that none of the same library is better than.

    Better is: no larger in any figure of ``weighed``, and smaller in one.
    """
    best = set()
    for one in measured:
        rivals = [m for m in measured if m.figures and m.point.library == one.point.library]
        if one.figures and not any(_better(r.figures, one.figures, weighed) for r in rivals):
            best.add(one.point)
    return best


def _better(a: Figures, b: Figures, weighed: Sequence[str]) -> bool:
    pairs = [(a[name], b[name]) for name in weighed]
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


def _read(content: bytes) -> Figures:
    figures = json.loads(content)
    if not isinstance(figures, dict):
        raise ValueError("no figures")
    return figures
