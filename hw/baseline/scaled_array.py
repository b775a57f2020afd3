"""Integer array with scales for groups of input channels: what Atom runs."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.baseline.group_scaler import GroupScaler
from hw.baseline.mac_array import MacArray
from hw.baseline.mac_spec import MacSpec
from hw.stream.share import share


class ScaledArray(wiring.Component):
    """Sum each group of input channels in integers, then scale and add the groups in FP16.

    Parameters
    ----------
    spec : MacSpec
        Of the integer array; ``inputs_max`` is the size of a group.

    Ports
    -----
    i : In(stream of spec.beat)
        Beats of one group after another, of a tile of output channels after another.
    scale_i : In(stream of scales)
        As for :class:`hw.baseline.group_scaler.GroupScaler`.
    o : Out(stream of outputs)
        FP16 patterns of each tile's outputs.

    Timing
    ------
    Latency : that of both parts, and up to 7 cycles until a group's turn begins.
    Rate : one beat per cycle, in groups of 8 beats or more, while beats and scales come and
        ``o`` is taken.
    Through paths : ``i.payload`` to ``i.ready``, combinational.
    Reset : drops what is under way.
    """

    i: stream.Interface
    scale_i: stream.Interface
    o: stream.Interface

    def __init__(self, spec: MacSpec) -> None:
        self.spec = spec
        self._scaler = GroupScaler(spec)
        ports = {
            "i": In(stream.Signature(spec.beat)),
            "scale_i": In(stream.Signature(self._scaler.scales)),
            "o": Out(stream.Signature(self._scaler.outputs)),
        }
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        array, scaler = MacArray(self.spec), self._scaler
        m.submodules.array = share(platform, array)
        m.submodules.scaler = share(platform, scaler)
        connect(m, flipped(self.i), array.i)
        connect(m, array.o, scaler.i)
        connect(m, flipped(self.scale_i), scaler.scale_i)
        connect(m, scaler.o, flipped(self.o))
        return m
