"""Port split: one wide bus as several AXI4 ports beside each other."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.utils import exact_log2

from hw.bus.axi import INCR, MODIFIABLE, Axi, AxiSpec, Channels
from hw.stream.component import Component, In, Out


class Ports(Channels):
    """Several buses, ``port0`` and so on, as the manager sees them."""

    def __init__(self, spec: AxiSpec, count: int) -> None:
        one: wiring.Member = wiring.Out(Axi(spec))
        super().__init__({f"port{n}": one for n in range(count)})


class PortSplit(Component):
    """Carry a bus that is wider than AXI4 has any over several ports.

    Each port has its share of every word, the lowest bytes the first port; its address is that of
    the wide bus by the number of ports. So memories behind the ports hold a model in stripes, and
    each sees bursts of whole words. All must answer in the same order, as they do for one number.

    Parameters
    ----------
    spec : AxiSpec
        The wide bus.
    count : int
        How many ports, a power of two.

    Timing
    ------
    Latency : 0 cycles.
    Rate : one word per cycle.
    Through paths : all of ``s_axi``'s inputs to outputs of ``m_axi``, and the ports' inputs to the
        outputs of ``s_axi``; of R and B, the ports' valid to other ports' ready; combinational.
    Reset : forgets which ports have taken their part.
    """

    s_axi = In(lambda c: Axi(c.spec))
    """The manager's side."""
    m_axi = Out(lambda c: Ports(c.port_spec, c.count))
    """The ports."""

    def __init__(self, spec: AxiSpec, count: int) -> None:
        if count < 2 or count & (count - 1):
            raise ValueError(f"a bus is split in 2, 4, 8 or so ports, got {count}")
        self.spec, self.count = spec, count
        self.port_spec = spec.share(count)
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        wide, ports = self.s_axi, [getattr(self.m_axi, f"port{n}") for n in range(self.count)]
        size = self.port_spec.size
        for kind in ("ar", "aw"):
            self._fork(m, kind, ports)
            address = getattr(wide, f"{kind}addr") >> exact_log2(self.count)
            for port in ports:
                fields = {"addr": address, "size": size, "burst": INCR, "cache": MODIFIABLE}
                fields |= {name: getattr(wide, f"{kind}{name}") for name in ("id", "len", "prot")}
                for name, value in fields.items():
                    m.d.comb += getattr(port, f"{kind}{name}").eq(value)
        self._fork(m, "w", ports)
        bits, strobes = self.port_spec.data_bits, self.port_spec.word_bytes
        for n, port in enumerate(ports):
            m.d.comb += [
                port.wdata.eq(wide.wdata.word_select(n, bits)),
                port.wstrb.eq(wide.wstrb.word_select(n, strobes)),
                port.wlast.eq(wide.wlast),
            ]
        for kind in ("r", "b"):
            self._join(m, kind, ports)
        m.d.comb += [
            wide.rdata.eq(Cat(port.rdata for port in ports)),
            wide.rlast.eq(ports[0].rlast),
        ]

    def _fork(self, m: Module, kind: str, ports: list[Any]) -> None:
        """Offer what a channel has to each port, until all have taken it."""
        valid, ready = (getattr(self.s_axi, f"{kind}{name}") for name in ("valid", "ready"))
        done = []
        for n, port in enumerate(ports):
            sent, takes = Signal(name=f"{kind}_sent{n}"), getattr(port, f"{kind}ready")
            m.d.comb += getattr(port, f"{kind}valid").eq(valid & ~sent)
            m.d.sync += sent.eq(valid & ~ready & (sent | takes))
            done.append(sent | takes)
        m.d.comb += ready.eq(Cat(done).all())

    def _join(self, m: Module, kind: str, ports: list[Any]) -> None:
        """Take an answer when every port has one; it is wrong if one of them is."""
        valid, ready = (getattr(self.s_axi, f"{kind}{name}") for name in ("valid", "ready"))
        m.d.comb += valid.eq(Cat(getattr(port, f"{kind}valid") for port in ports).all())
        for port in ports:
            m.d.comb += getattr(port, f"{kind}ready").eq(valid & ready)
        answers = [getattr(port, f"{kind}resp") for port in ports]
        m.d.comb += getattr(self.s_axi, f"{kind}resp").eq(reduce(or_, answers))
        m.d.comb += getattr(self.s_axi, f"{kind}id").eq(getattr(ports[0], f"{kind}id"))
