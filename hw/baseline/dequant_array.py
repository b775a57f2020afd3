"""Array that dequantises weights and activations, and then multiplies."""

from typing import ClassVar

from amaranth.lib import data

from hw.baseline.mac_array import MacArray


class DequantArray(MacArray):
    """A :class:`hw.baseline.mac_array.MacArray` of weight and activation codes.

    Parameters
    ----------
    spec : MacSpec
        Of the arithmetic ``dequant``.

    Ports
    -----
    activation_magnitudes : In(array of 8 unsigned)
        Centroids of activations. This and ``weight_magnitudes`` are steady while beats come.
    weight_magnitudes : In(array of 8 unsigned)
        Centroids of weights, in half units less one half.
    i : In(stream of spec.beat)
        As of :class:`hw.baseline.mac_array.MacArray`.
    o : Out(stream of spec.tile)
        Sums of each tile, in half units.

    Timing
    ------
    Latency : ``spec.latency`` cycles from a tile's last beat to the tile.
    Rate : as of :class:`hw.baseline.mac_array.MacArray`.
    Through paths : ``i.payload`` to ``i.ready``, combinational.
    Reset : drops what is under way; the next beat is a tile's first.
    """

    lane_ports: ClassVar[tuple[str, ...]] = ("weight_magnitudes",)
    operand_ports: ClassVar[tuple[str, ...]] = ("activation_magnitudes",)

    activation_magnitudes: data.View
    weight_magnitudes: data.View
