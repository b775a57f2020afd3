"""Integer array with scales for groups of input channels: what Atom runs."""

from amaranth.hdl import Module
from amaranth.lib.wiring import connect, flipped

from hw.baseline.group_scaler import GroupScaler
from hw.baseline.mac_array import MacArray
from hw.baseline.mac_spec import MacSpec
from hw.stream.component import Component, InStream, OutStream


class ScaledArray(Component):
    """Sum each group of input channels in integers, then scale and add the groups in FP16.

    Parameters
    ----------
    spec : MacSpec
        Of the integer array; ``inputs_max`` is the size of a group.

    Timing
    ------
    Latency : that of both parts, and up to 7 cycles until a group's turn begins.
    Rate : one beat per cycle, in groups of 8 beats or more, while beats and scales come and
        ``o`` is taken.
    Through paths : ``i.payload`` to ``i.ready``, combinational.
    Reset : drops what is under way.
    """

    i = InStream(lambda c: c.spec.beat)
    """Beats of one group after another, of a tile of output channels after another."""
    scale_i = InStream(lambda c: c._scaler.scales)
    """As for :class:`hw.baseline.group_scaler.GroupScaler`."""
    o = OutStream(lambda c: c._scaler.outputs)
    """FP16 patterns of each tile's outputs."""

    def __init__(self, spec: MacSpec) -> None:
        self.spec = spec
        self._scaler = GroupScaler(spec)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        array = self.put(m, "array", MacArray(self.spec))
        scaler = self.put(m, "scaler", self._scaler)
        connect(m, flipped(self.i), array.i)
        connect(m, array.o, scaler.i)
        connect(m, flipped(self.scale_i), scaler.scale_i)
        connect(m, scaler.o, flipped(self.o))
