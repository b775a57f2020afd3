"""The points of a sweep, and what is measured of each."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateware.design import Design, Value
from gateware.points import point
from gateware.variant import variant
from golden.exact.spec import NumberSpec

FIGURES = {
    "area": ("ge", "area", "flip_flops", "memory_bits"),
    "delay": ("delay_fo4", "delay_ps"),
    "cycles": ("cycles",),
    "accuracy": ("error", "quantisation_error", "arithmetic_error"),
}
TIME = "microseconds"  # of a token: cycles at the longest path's pace
DEFAULT_LIBRARY = "default"
OUTLIERS_PERCENT = 1.0  # on both sides together


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What a token's cycles are of: (inputs, outputs), and outliers on both sides together."""

    inputs: int
    outputs: int
    outliers: int


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """What errors are of: a layer of MiniLM, and how it is quantised beside a point's widths.

    Activations have as many bits as the point's codes if nothing else is said.
    """

    layer: str = "encoder.layer.0.attention.self.query"
    tokens: int = 64
    weight_bits: int = 4
    activation_bits: int | None = None
    seed: int = 0
    outlier_share: float = OUTLIERS_PERCENT / 200

    def bits_of(self, numbers: NumberSpec) -> int:
        """Return the bits of an activation in a design with these numbers."""
        fixed = numbers.made or self.activation_bits is None
        return numbers.activation_bits if fixed else self.activation_bits  # pyright: ignore


@dataclass(frozen=True, kw_only=True)
class Point:
    """One combination: plain values, which may go to another machine.

    Parameters
    ----------
    base : str
        A design of the catalog.
    changes : tuple of (str, value)
        What differs from that.
    library : str
        Name or files of the cell library.
    measure : tuple of str
        Keys of :data:`FIGURES`.
    layer : Layer or None
        Of the cycles, when these are measured.
    accuracy : Accuracy or None
        Of the errors, when these are measured.
    """

    base: str
    changes: tuple[tuple[str, Value], ...]
    library: str
    measure: tuple[str, ...]
    layer: Layer | None = None
    accuracy: Accuracy | None = None

    def design(self) -> Design:
        """Return the design."""
        return variant(point(self.base), dict(self.changes))

    def __str__(self) -> str:
        return ", ".join([self.base, *(f"{n} = {v}" for n, v in self.changes), self.library])


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep: its points, the figures of which little is good, impossible combinations."""

    points: tuple[Point, ...]
    pareto: tuple[str, ...]
    left_out: int


def figures_of(measured: Sequence[str]) -> list[str]:
    """Return the names of all figures of a point, those that count most first."""
    both = {"delay", "cycles"} <= set(measured)
    return [TIME] * both + [name for kind in FIGURES if kind in measured for name in FIGURES[kind]]
