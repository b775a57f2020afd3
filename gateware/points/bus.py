"""Masters and slaves of buses."""

from functools import partial

from gateware.point import Point, listed
from hw.bus.axi import AxiSpec
from hw.bus.axi_memory import AxiMemory
from hw.bus.axi_reader import AxiReader
from hw.bus.axi_writer import AxiWriter
from hw.bus.bursts import Bursts
from hw.bus.frame_reader import FrameReader
from hw.bus.port_split import PortSplit
from hw.bus.read_share import ReadShare
from hw.bus.register_bank import RegisterBank
from hw.chip.chip import registers

NARROW = AxiSpec(burst_max=16, outstanding=2)
WIDE = AxiSpec(data_bits=1024)
MASTERS = (
    ("axi_reader", partial(AxiReader), "words of memory through AXI4 as a stream"),
    ("axi_writer", partial(AxiWriter), "a stream of words to memory through AXI4"),
    ("read_share", partial(ReadShare, ways=4), "four readers of memory take turns"),
)
POINTS = (
    Point("bursts", partial(Bursts, NARROW)),
    Point("bursts_64", partial(Bursts, AxiSpec())),
    Point("bursts_a64", partial(Bursts, AxiSpec(address_bits=64, burst_max=2))),
    Point("axi_reader", partial(AxiReader, NARROW), steady=("stop",)),
    Point("axi_writer", partial(AxiWriter, NARROW)),
    Point("axi_memory", partial(AxiMemory, AxiSpec(id_bits=2), 60, (3, 1 << 63, 7))),
    Point("frame_reader", partial(FrameReader, 4, 19), steady=("inputs",)),
    Point("port_split", partial(PortSplit, AxiSpec(), 2)),
    Point("read_share", partial(ReadShare, NARROW, 3), steady=("stop",)),
    *(
        listed(
            f"{name}_{spec.data_bits}",
            partial(kind, spec),
            f"{about}, {spec.data_bits} bits",
            bench=f"bus.bench_{name}" if spec == WIDE else None,
        )
        for name, kind, about in MASTERS
        for spec in (AxiSpec(), WIDE)
    ),
    listed(
        "register_bank",
        partial(RegisterBank, registers()),
        "registers of a chip on AXI4-Lite",
        bench="bus.bench_register_bank",
    ),
)
