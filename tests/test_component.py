"""Ports that are written once: what a class declares is what its components have."""

import pytest
from amaranth.hdl import signed
from amaranth.lib import stream, wiring

from hw.fp16.fp16_multiply import Fp16Multiply
from hw.stream.component import Component, In, InStream, Out, OutStream, port_texts
from hw.stream.queue import Queue
from hw.stream.share import call_signature
from hw.stream.token_buffer import TokenBuffer


class Adder(Component):
    """A component of every kind of port."""

    i = InStream(lambda c: signed(c.bits))
    """Terms."""
    start = In(8)
    """What is added
    to all.
    """
    BITS = 3
    """No port."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__()


class Adders(Adder):
    """One with more ports."""

    o = OutStream(4)
    """Sums."""
    parts = Out(lambda c: c.bits + 1).array(2, lambda c: c.bits)
    """Their parts."""
    start = In(9)
    """Anew, in its place."""


def test_ports_are_those_of_the_class_and_its_bases() -> None:
    assert dict(Adders(5).signature.members) == {
        "i": wiring.In(stream.Signature(signed(5))),
        "start": wiring.In(9),
        "o": wiring.Out(stream.Signature(4)),
        "parts": wiring.Out(6).array(2, 5),
    }
    assert list(Adders(5).signature.members) == ["i", "start", "o", "parts"]
    assert Adders(5).start.shape().width == 9
    assert Adder(5).start.shape().width == 8


def test_texts_stand_below_ports() -> None:
    assert port_texts(Adder) == {"i": "Terms.", "start": "What is added to all."}
    assert port_texts(Adders)["start"] == "Anew, in its place."
    assert port_texts(Adders)["i"] == "Terms."


def test_an_interface_is_a_port() -> None:
    read = TokenBuffer(4, 2, 3).read
    assert read.signature.members["data"].shape == 8


def test_a_port_is_there_when_the_constructor_is_done() -> None:
    class Early(Adder):
        def __init__(self) -> None:
            self.width = len(self.start)
            super().__init__(1)

    with pytest.raises(AttributeError, match=r"Early\.start is there when its constructor is done"):
        Early()


def test_arguments_of_a_class_are_its_constructors() -> None:
    """Where it inherits the constructor, too, and Amaranth's ``__new__`` takes anything."""
    assert list(call_signature(Fp16Multiply).parameters) == ["pipelined"]
    assert list(call_signature(Queue).parameters) == ["shape", "depth"]
    assert list(call_signature(lambda a, b=1: a).parameters) == ["a", "b"]
