"""A run that refutes a proof, repeated in Amaranth's simulator, as a waveform and a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import ClockDomain, Module, ResetSignal, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator

from gateware.emit import RESET
from golden.base.errors import ToolError
from hw.stream.share import port_name

PERIOD = 1e-8


@dataclass(frozen=True)
class Trace:
    """What happens at the ports, cycle by cycle, until a rule is broken.

    Parameters
    ----------
    broken : tuple of str
        The rules that do not hold in the last cycle.
    columns : tuple of str
        Names of ports; a stream is one.
    rows : tuple of tuple of str
        Their values in each cycle.
    waves : Path
        The waveform.
    """

    broken: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    waves: Path


def replay(component: Any, inputs: Sequence[dict[str, int]], waves: Path) -> Trace:
    """Run a fresh component on the inputs of a run that refutes its proof.

    Yosys and ABC have no part in this: what it shows is so.

    Raises
    ------
    golden.base.errors.ToolError
        When no rule is broken, or an assumption is.
    """
    ports = {
        port_name(path): Value.cast(value)
        for path, member, value in component.signature.flatten(component)
        if member.flow == In
    }
    m = Module()
    m.domains.sync = ClockDomain("sync")
    m.submodules.proof = component
    ports[RESET] = reset = Signal()
    m.d.comb += ResetSignal("sync").eq(reset)
    members = component.signature.members
    rows: list[tuple[str, ...]] = []
    broken: list[str] = []
    simulator = Simulator(m)
    simulator.add_clock(PERIOD)
    properties = component.properties

    async def bench(ctx) -> None:
        for values in inputs:
            for name, port in ports.items():
                ctx.set(port, values.get(name, 0))
            await ctx.delay(PERIOD / 4)
            row = [_show(ctx, getattr(component, name), member) for name, member in members.items()]
            rows.append((str(ctx.get(reset)), *row))
            if failed := [n for n, holds in properties.assumptions.items() if not ctx.get(holds)]:
                raise ToolError(f"ABC's run breaks an assumption: {', '.join(failed)}")
            broken.extend(name for name, holds in properties.rules.items() if not ctx.get(holds))
            if broken:
                return
            await ctx.tick()

    simulator.add_testbench(bench)
    with simulator.write_vcd(str(waves)):
        simulator.run()
    if not broken:
        raise ToolError("ABC's run breaks no rule in Amaranth's simulator")
    return Trace(tuple(broken), (RESET, *members), tuple(rows), waves)


def _show(ctx: Any, port: Any, member: wiring.Member) -> str:
    """Return a port's value as text; of a stream the payload, and whether it passes."""
    if member.is_port:
        return _plain(ctx.get(port))
    if member.dimensions or not isinstance(member.signature, stream.Signature):
        return ""
    valid, ready = ctx.get(port.valid), ctx.get(port.ready)
    if not valid:
        return "(ready)" if ready else ""
    return f"{_plain(ctx.get(port.payload))} ({'passes' if ready else 'waits'})"


def _plain(value: Any) -> str:
    """Return a number, a list or the fields of a structure as short text."""
    if not isinstance(value, data.Const):
        return str(value)
    layout = value.shape()
    if isinstance(layout, data.ArrayLayout):
        return f"[{' '.join(_plain(value[n]) for n in range(layout.length))}]"
    return " ".join(f"{name} {_plain(value[name])}" for name, _ in layout)
