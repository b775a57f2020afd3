"""Buses: how words become bursts, what a bus may be, what it is called."""

import re
from dataclasses import replace

import pytest
from amaranth.hdl import Module

from gateware.emit import rtlil
from gateware.points import point
from gateware.sizes import AHEAD, FACTOR, SNAPS, small_spec
from golden.exact.bursts import BEATS_MAX, PAGE, bursts
from hw.bus.axi import Axi, AxiSpec, AxiStream, join
from hw.bus.axi_reader import AxiReader
from hw.bus.axi_writer import AxiWriter
from hw.bus.frame_reader import FrameReader
from hw.bus.read_share import ReadShare
from hw.linear.shell.stream_engine import StreamEngine
from hw.stream.component import Out, Sized
from synth.area.measure_design import measure
from synth.libraries.liberty import Library

PORT = re.compile(r"^  wire width (\d+ \w+put) \d+ +\\([ms]_axi\w+)$", re.M)


def test_bursts_by_hand() -> None:
    assert bursts(0, 1, word_bytes=8, burst_max=4) == [(0, 1)]
    assert bursts(8, 9, word_bytes=8, burst_max=4) == [(8, 3), (32, 4), (64, 2)]
    assert bursts(32, 4, word_bytes=8, burst_max=4) == [(32, 4)]
    # A page has 32 words of 1024 bits, so no burst has more.
    assert bursts(PAGE - 128, 34, word_bytes=128, burst_max=256) == [
        (PAGE - 128, 1),
        (PAGE, 32),
        (2 * PAGE, 1),
    ]


@pytest.mark.parametrize("word_bytes", [4, 32, 128])
@pytest.mark.parametrize("words", [1, 31, 255, 256, 257, 2000])
def test_bursts_are_what_is_asked_for(word_bytes: int, words: int) -> None:
    for first in (0, 1, 30, 255, 1023):
        found = bursts(first * word_bytes, words, word_bytes=word_bytes, burst_max=BEATS_MAX)
        all_words = [a // word_bytes + n for a, beats in found for n in range(beats)]
        assert all_words == list(range(first, first + words))
        for address, beats in found:
            assert 1 <= beats <= BEATS_MAX
            assert address // PAGE == (address + beats * word_bytes - 1) // PAGE


@pytest.mark.parametrize(
    ("name", "most_ge"),
    [
        *(("axi_reader_64", 760), ("axi_reader_1024", 700)),
        *(("axi_writer_64", 870), ("axi_writer_1024", 940)),
        *(("read_share_64", 1600), ("read_share_1024", 1550), ("register_bank", 1500)),
    ],
)
def test_ends_of_buses_are_small(library: Library, name: str, most_ge: int) -> None:
    area = measure(point(name), library)
    assert area.ge < most_ge
    assert area.delay_fo4 < 45


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data_bits", 48),
        ("data_bits", 32768),
        ("burst_max", 512),
        ("burst_max", 12),
        ("address_bits", 11),
        ("id_bits", 0),
        ("outstanding", 0),
    ],
)
def test_no_such_bus(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=name):
        replace(AxiSpec(), **{name: value})


def test_a_stream_has_the_names_of_the_standard() -> None:
    text = rtlil(FrameReader(4, 20), "frames")
    ports = {name: kind for kind, name in re.findall(PORT, text)}
    assert ports == {
        "s_axis_tvalid": "1 input",
        "s_axis_tready": "1 output",
        "s_axis_tdata": "64 input",
        "s_axis_tkeep": "8 input",
        "s_axis_tlast": "1 input",
    }
    with pytest.raises(ValueError, match="whole bytes, not 12 bits"):
        AxiStream(12)


def test_engines_on_streams_have_no_more_streams() -> None:
    together = small_spec(symmetric=True, activation_bits=8, tokens_together=4)
    for spec in (FACTOR, AHEAD, SNAPS, together):
        with pytest.raises(ValueError, match="no token factors, levels, loads ahead or tokens"):
            StreamEngine(spec)


def test_one_does_not_share() -> None:
    with pytest.raises(ValueError, match="two at least"):
        ReadShare(AxiSpec(), 1)


class Both(Sized[AxiSpec]):
    """A reader and a writer on one bus."""

    m_axi = Out(lambda c: Axi(c.spec))
    """The memory."""

    def build(self, m: Module) -> None:  # noqa: D102
        for name, kind in (("reader", AxiReader), ("writer", AxiWriter)):
            m.d.comb += join(self.put(m, name, kind(self.spec)).m_axi, self.m_axi)


def test_a_bus_has_the_names_of_the_standard() -> None:
    text = rtlil(Both(AxiSpec(data_bits=128)), "both")
    top = text[text.index("module \\both\n") :]
    ports = {name: kind for kind, name in re.findall(PORT, top)}
    assert ports["m_axi_araddr"] == "32 output"
    assert ports["m_axi_wstrb"] == "16 output"
    assert ports["m_axi_rdata"] == "128 input"
    assert ports["m_axi_bready"] == "1 output"
    assert len(ports) == len(Axi(AxiSpec()).members)
