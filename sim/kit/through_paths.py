"""Checks what a block's docstring says of combinational paths from stream to stream."""

import re
from collections.abc import Mapping

from amaranth.hdl import ShapeLike
from amaranth.lib import wiring
from cocotb.triggers import FallingEdge, RisingEdge, Timer

STEP_PS = 150  # all flips of a cycle fit before its falling edge


def documented_paths(block: wiring.Component) -> set[tuple[str, str]]:
    """Return the pairs that the line ``Through paths`` names, ``("o.ready", "i.ready")`` say."""
    docs = (kind.__doc__ or "" for kind in type(block).__mro__)  # Timing may be inherited
    said = (re.search(r"Through paths : (.*?)^ *Reset : ", doc, re.S | re.M) for doc in docs)
    found = next(filter(None, said), None)
    assert found, f"{type(block).__name__} does not say its through paths"
    name = r"``[\w.]+``"
    # A comma after a sink begins the next path.
    path = rf"({name}(?:(?:,|\s+and)\s+{name})*)\s+to\s+({name}(?:\s+and\s+{name})*)"
    pairs = re.findall(path, found[1])
    return {
        (source, sink)
        for sources, sinks in pairs
        for source in re.findall(r"``([\w.]+)``", sources)
        for sink in re.findall(r"``([\w.]+)``", sinks)
    }


class ThroughPaths:
    """Flips each stream input within a cycle and sees which stream outputs follow at once.

    Registers see nothing of it: every input is back before the falling edge, where all look.

    Parameters
    ----------
    dut : handle
        The top level.
    block : wiring.Component
        What it was made from; its docstring says which paths there are.
    streams : mapping
        Of port to whether it is an input, and the shape of its payload.
    """

    def __init__(
        self, dut, block: wiring.Component, streams: Mapping[str, tuple[bool, ShapeLike]]
    ) -> None:
        self._clk = dut.clk
        self._name = type(block).__name__
        self._documented = documented_paths(block)
        self._inputs, self._outputs = {}, {}
        for port, (is_input, _) in streams.items():
            for part in ("payload", "valid", "ready"):
                handle = getattr(dut, f"{port}__{part}", None)
                if handle is not None:
                    driven = is_input != (part == "ready")
                    (self._inputs if driven else self._outputs)[f"{port}.{part}"] = handle
        assert (2 * len(self._inputs) + 2) * STEP_PS < 5000, "too many inputs for half a cycle"

    async def watch(self) -> None:
        """Go on for ever; fail at the first path that is not documented."""
        while True:
            await RisingEdge(self._clk)
            await Timer(STEP_PS, unit="ps")
            before = {name: handle.value for name, handle in self._outputs.items()}
            for source, handle in self._inputs.items():
                value = int(handle.value)
                handle.value = value ^ ((1 << len(handle)) - 1)
                await Timer(STEP_PS, unit="ps")
                for sink, output in self._outputs.items():
                    if output.value != before[sink] and (source, sink) not in self._documented:
                        raise AssertionError(
                            f"{self._name}: {source} reaches {sink} in the same cycle,"
                            " which its Through paths do not say"
                        )
                handle.value = value
                await Timer(STEP_PS, unit="ps")
            await FallingEdge(self._clk)
