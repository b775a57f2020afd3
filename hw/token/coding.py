"""Coding: how activations become codes, by the form of the rows."""

from amaranth.hdl import Value
from amaranth.lib import data

from hw.engine_spec import EngineSpec
from hw.token.clustering_unit import ClusteringUnit, ordered, thresholds_layout
from hw.token.grid_unit import DIVISOR, GridUnit


def measure_layout(spec: EngineSpec) -> data.Layout:
    """Return the layout of what a token's activations are measured with.

    Thresholds between clusters; or, where rows are made, what divides by the token scale.
    """
    numbers = spec.numbers
    if numbers.made:
        return DIVISOR
    return thresholds_layout(numbers.activation_bits, symmetric=numbers.symmetric)


def coding_unit(spec: EngineSpec) -> ClusteringUnit | GridUnit:
    """Return what finds the code of one activation per cycle."""
    numbers = spec.numbers
    if numbers.made:
        return GridUnit()
    return ClusteringUnit(numbers.activation_bits, symmetric=numbers.symmetric)


def prepared(spec: EngineSpec, activation: Value) -> Value:
    """Return a finite FP16 activation other than -0 as a unit takes it."""
    if spec.numbers.made:
        return activation
    return ordered(activation, symmetric=spec.numbers.symmetric)
