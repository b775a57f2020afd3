"""Masters and slaves of buses."""

from functools import partial

from gateware.point import Point
from hw.bus.axi import AxiSpec
from hw.bus.axi_reader import AxiReader
from hw.bus.axi_writer import AxiWriter
from hw.bus.bursts import Bursts

NARROW = AxiSpec(burst_max=16, outstanding=2)
WIDE = AxiSpec(data_bits=1024)
POINTS = (
    Point("bursts", partial(Bursts, NARROW)),
    Point("bursts_64", partial(Bursts, AxiSpec())),
    Point("bursts_a64", partial(Bursts, AxiSpec(address_bits=64, burst_max=2))),
    Point("axi_reader", partial(AxiReader, NARROW), steady=("stop",)),
    Point("axi_reader_64", partial(AxiReader, AxiSpec()), bench=None, steady=("stop",)),
    Point("axi_reader_1024", partial(AxiReader, WIDE), steady=("stop",)),
    Point("axi_writer", partial(AxiWriter, NARROW)),
    Point("axi_writer_64", partial(AxiWriter, AxiSpec()), bench=None),
    Point("axi_writer_1024", partial(AxiWriter, WIDE)),
)
