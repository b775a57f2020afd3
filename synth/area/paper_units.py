"""The units whose areas the KLLM paper gives, ours beside them, as ratios to an FP16 MAC.

Areas at 28 nm cannot be compared with those in another library, ratios can. The paper's are its
table of areas (arXiv 2507.23035) over the FP16 MAC that its row sums imply; ours are over our
pipelined FP16 fused multiply-add, which is IEEE 754 with subnormals.
"""

from dataclasses import dataclass
from functools import partial

from gateware.density_points import counter_spec
from gateware.design import Design
from gateware.points import point
from hw.linear.counter.concat_unit import ConcatUnit
from hw.linear.counter.index_counter import IndexCounter
from hw.linear.counter_fp16.fp16_count_tree import Fp16CountTree
from hw.token.clustering_unit import ClusteringUnit
from synth.area.area import Area

MAC = "fp16_fma_pipelined"
PAPER_MAC = 2796
TREE_LANES = 32


@dataclass(frozen=True)
class PaperUnit:
    """A unit of the paper's.

    Parameters
    ----------
    name : str
        As the paper calls it.
    area : float
        As the paper has it, where its FP16 MAC takes ``PAPER_MAC``.
    ours : Design
        What does the same here.
    share : int
        How many of the unit that has.
    """

    name: str
    area: float
    ours: Design
    share: int = 1


def paper_units() -> tuple[PaperUnit, ...]:
    """Return the units, each with ours."""
    spec = counter_spec()
    count_bits = spec.inputs_max.bit_length()
    return (
        PaperUnit("Concat Unit", 21.2, Design("concat_unit", partial(ConcatUnit, spec))),
        PaperUnit(
            "Index Counter, 16 inputs", 8469, Design("index_counter", partial(IndexCounter, spec))
        ),
        PaperUnit("Dequant Unit", 2830, point("dequant_unit")),
        PaperUnit(
            "MAC tree, per lane",
            3656,
            Design("count_tree", partial(Fp16CountTree, TREE_LANES, count_bits)),
            share=TREE_LANES,
        ),
        PaperUnit(
            "Clustering Unit",
            328,
            Design("clustering_unit", partial(ClusteringUnit, 4, symmetric=False)),
        ),
        PaperUnit("Orizuru unit, 16 inputs", 2707, point("orizuru_unit")),
        PaperUnit("error-calculation unit", 4120, point("error_unit")),
    )


def ratios(units: tuple[PaperUnit, ...], areas: dict[str, Area]) -> list[dict]:
    """Return for each unit the paper's ratio and ours.

    Parameters
    ----------
    units : tuple of PaperUnit
    areas : dict of str to Area
        Of each unit's design and of ``MAC``, by name.
    """
    mac = areas[MAC].ge
    return [
        {
            "unit": unit.name,
            "design": unit.ours.name,
            "ge": areas[unit.ours.name].ge / unit.share,
            "ratio": areas[unit.ours.name].ge / unit.share / mac,
            "paper_ratio": unit.area / PAPER_MAC,
        }
        for unit in units
    ]
