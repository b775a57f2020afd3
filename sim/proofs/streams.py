"""The rules of valid and ready, for any component with streams."""

from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.bus.axi import Channels
from hw.stream.token_buffer import ReadPort
from sim.proofs.axi import add_rules
from sim.proofs.properties import Properties, keeps, waits

SIZE = ("shape", "inputs", "outputs")  # of the layer: steady in every component
LEVELS = ("available",)  # what a token's being there says: it is not taken back


class StreamRules(wiring.Component):
    """A component among free inputs: valid and payload of every stream hold while it waits.

    Of its input streams that is assumed; of its output streams it is a rule. A buffer that it
    reads keeps its word until another is read, and its token until that is done with. The size
    of the layer is steady, and ``available`` does not fall while a stream waits. All other inputs
    may change in every cycle, and a reset may come in any.

    Parameters
    ----------
    component : wiring.Component
        What is proven. All its ports become ports of this one.
    steady : tuple of str
        More inputs that keep the value that they have in the first cycle after a reset.
    """

    properties: Properties

    def __init__(self, component: Any, steady: tuple[str, ...] = ()) -> None:
        self.component = component
        self.steady = (*SIZE, *steady)
        super().__init__(component.signature)

    def elaborate(self, platform: object) -> Module:  # noqa: D102
        m = Module()
        self.properties = p = Properties(m, platform)
        m.submodules.component = self.component
        ours = self.signature.flatten(self)
        theirs = self.component.signature.flatten(self.component)
        for (path, member, value), (_, _, inner) in zip(ours, theirs, strict=True):
            name = "__".join(map(str, path))
            outer, part = Value.cast(value), Value.cast(inner)
            if member.flow != In:
                m.d.comb += outer.eq(part)
                continue
            m.d.comb += part.eq(outer)
            if path[0] in self.steady:
                p.assume(f"{name}_is_steady", keeps(m, outer, name))
        waiting = []
        for name, member, port in self._interfaces():
            if isinstance(member.signature, Channels):
                add_rules(m, p, name, port)
            elif isinstance(member.signature, ReadPort) and member.flow == Out:
                self._read(m, p, name, port)
            elif isinstance(member.signature, stream.Signature) and member.flow == In:
                p.assume(f"{name}_holds_still", waits(m, port, name)[1])
            elif isinstance(member.signature, stream.Signature):
                waited, still = waits(m, port, name)
                waiting.append(waited)
                p.rule(f"{name}_holds_still", still)
                p.reach(f"{name}_waits_and_passes", waited & port.valid & port.ready)
        for name in LEVELS:
            if name in self.signature.members:
                level, before = getattr(self, name), Signal(name=f"{name}_before")
                m.d.sync += before.eq(level)
                p.assume(f"{name}_stays", ~(before & Cat(waiting).any()) | level)
        assert p.rules, f"{type(self.component).__name__} has no output stream"
        return m

    def _interfaces(self) -> Iterator[tuple[str, wiring.Member, Any]]:
        """Yield the interfaces among the ports, one by one, with their names."""
        for name, member in self.signature.members.items():
            if member.is_signature:
                for index in np.ndindex(member.dimensions):
                    port: Any = reduce(lambda ports, n: ports[n], index, getattr(self, name))
                    yield "__".join(map(str, (name, *index))), member, port

    def _read(self, m: Module, p: Properties, name: str, port: Any) -> None:
        """Assume what a buffer does that is read."""
        same, there = Signal(name=f"{name}_same"), Signal(name=f"{name}_there")
        before = Signal.like(port.data, name=f"{name}_before")
        m.d.sync += [same.eq(~port.en), before.eq(port.data), there.eq(port.filled & ~port.done)]
        p.assume(f"{name}_keeps_its_word", ~same | (port.data == before))
        p.assume(f"{name}_keeps_its_token", ~there | port.filled)
