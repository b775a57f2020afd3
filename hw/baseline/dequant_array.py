"""Array that dequantises weights and activations, and then multiplies."""

from typing import ClassVar

from hw.baseline.mac_array import MacArray
from hw.baseline.mac_spec import MAGNITUDES
from hw.stream.component import In


class DequantArray(MacArray):
    """A :class:`hw.baseline.mac_array.MacArray` of weight and activation codes."""

    lane_ports: ClassVar[tuple[str, ...]] = ("weight_magnitudes",)
    operand_ports: ClassVar[tuple[str, ...]] = ("activation_magnitudes",)

    activation_magnitudes = In(MAGNITUDES)
    """Centroids of activations. This and the next are steady while beats come."""
    weight_magnitudes = In(MAGNITUDES)
    """Centroids of weights, in half units less one half."""
