"""What KLLM's paper prints beside what this project's counter engine and models give.

The paper is arXiv 2507.23035, version 4. Some of its figures are printed, others follow from what
is printed: those are marked as our derivation.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gateware.density_points import counter_spec
from gateware.engines.kinds import engine
from gateware.system.designs import CLOCK
from golden.exact.cycles import outliers_of
from golden.system.memories import hbm2
from golden.system.published import PAPER_EFFICIENCY, PAPER_SPEED, PAPER_WATTS
from golden.system.shapes import MODELS

SIZE = 4096  # of the layer that the paper looks at
MEBI = 1 << 20
PAPER_DERIVED = {"llama-2-7b": 617, "llama-2-13b": 319, "llama-2-70b": 59.6}
PRINTED, DERIVED = "printed", "our derivation"
COLUMNS = ("quantity", "the paper", "", "ours", "difference")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of the paper and ours.

    Parameters
    ----------
    quantity : str
    paper, ours : float
    source : str
        Whether the paper prints it.
    most : float
        How much ours may differ: a share, or points of percent.
    unit : str
        ``%`` for shares, whose difference is in points.
    """

    quantity: str
    paper: float
    ours: float
    source: str = PRINTED
    most: float = 0.01
    unit: str = ""

    @property
    def difference(self) -> float:
        """By how much ours differs: in points, or as a share."""
        return self.ours - self.paper if self.unit else self.ours / self.paper - 1

    @property
    def holds(self) -> bool:
        """Whether it is as near as it must be."""
        return abs(self.difference) <= self.most

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self) | {"difference": self.difference, "holds": self.holds}


def reproduction() -> list[Row]:
    """Return all rows."""
    return [*_cycles(), *_traffic(), *_tokens(), *_powers()]


def _cycles() -> Iterator[Row]:
    spec = counter_spec()
    k_top = outliers_of(SIZE, 1) // 2
    main = spec.main_cycles(SIZE, SIZE)
    outliers = spec.compensation_cycles(SIZE, 2 * k_top)
    yield Row(
        quantity="cycles, main branch, 4096 x 4096", paper=2048, ours=main, source=DERIVED, most=0
    )
    yield Row(
        quantity="cycles, outlier branch, 1 %", paper=1344, ours=outliers, source=DERIVED, most=0
    )
    yield Row(
        quantity="outlier branch ends earlier, 1 %",
        paper=33,
        ours=100 * (1 - outliers / main),
        unit="%",
        most=2,
    )
    for percent, paper in ((0.5, 2048), (10, 13400)):
        longer = max(main, spec.compensation_cycles(SIZE, outliers_of(SIZE, percent)))
        yield Row(
            quantity=f"cycles, {percent:g} % outliers",
            paper=paper,
            ours=longer,
            source=DERIVED,
            most=0.025,
        )
    detection = engine(spec).cycles(SIZE, SIZE, k_top).ingest
    yield Row(
        quantity="throughput by look-ahead", paper=16, ours=100 * detection / main, unit="%", most=1
    )


def _traffic() -> Iterator[Row]:
    """Yield the shares of traffic on the chip, of a layer of 4096 x 4096 with a token.

    Each channel reads the whole table of products; a group of channels shares the activations.
    """
    spec = counter_spec()
    weights = SIZE * SIZE / 2
    table = SIZE * spec.bins * 2
    activations = SIZE // spec.output_lanes * SIZE / 2
    outputs = SIZE * 2 * 4  # of both branches, written and read
    total = weights + table + activations + outputs
    for name, part, paper in (
        ("weight indices", weights, 76.0),
        ("table of products", table, 19.2),
        ("the rest", activations + outputs, 4.8),
    ):
        yield Row(
            quantity=f"traffic on the chip, {name}",
            paper=paper,
            ours=100 * part / total,
            unit="%",
            most=0.5,
        )


def _tokens() -> Iterator[Row]:
    """Yield tokens per second of linear layers and head alone: no attention, no memory."""
    spec = counter_spec()
    for name, paper in PAPER_DERIVED.items():
        cycles = sum(
            one.count * spec.main_cycles(one.inputs, one.outputs) for one in MODELS[name].linears()
        )
        yield Row(
            quantity=f"tokens/s, {name}, linear layers alone",
            paper=paper,
            ours=CLOCK / cycles,
            source=DERIVED,
        )


def _powers() -> Iterator[Row]:
    """Yield powers: efficiency over speed is a ratio of powers; then what memory makes of it."""
    for name, printed in (("A100", 36.6), ("QuaRot", 34.9), ("FIGLUT", 0.480)):
        yield Row(
            quantity=f"power of {name} over the paper's chip",
            paper=printed,
            ours=PAPER_EFFICIENCY[name] / PAPER_SPEED[name],
            source=DERIVED,
        )
    a100 = PAPER_WATTS * PAPER_EFFICIENCY["A100"] / PAPER_SPEED["A100"]
    yield Row(
        quantity="energy efficiency over the A100, with DRAM",
        paper=26,
        ours=PAPER_SPEED["A100"] * a100 / (PAPER_WATTS + paper_dram_watts()),
        source=DERIVED,
        most=0.02,
    )


def paper_dram_watts() -> float:
    """Return the power of HBM2 that brings the paper's engine its weights without a pause."""
    memory = hbm2(8)
    return memory.bytes_per_second * 8 * memory.pj_per_bit * 1e-12


def cells(row: dict[str, Any]) -> list[str]:
    """Return the cells of a row, in the order of :data:`COLUMNS`."""
    unit = f" {row['unit']}" if row["unit"] else ""
    points = f"{row['difference']:+.1f} points" if unit else f"{row['difference']:+.1%}"
    exact = "0" if not row["difference"] else points
    return [
        row["quantity"],
        f"{row['paper']:g}{unit}",
        row["source"],
        f"{row['ours']:g}" if row["ours"] == int(row["ours"]) else f"{row['ours']:.4g}{unit}",
        exact,
    ]


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table in Markdown."""
    lines = [COLUMNS, ["---", "---:", "---", "---:", "---:"], *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
