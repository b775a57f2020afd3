"""Registers of pipelines that move on as one."""

from typing import Any

from amaranth.hdl import Module, Signal, ValueLike


def stage(m: Module, advance: ValueLike, value: ValueLike) -> Any:
    """Return a register that takes ``value`` whenever the pipeline moves on."""
    held: Any = Signal.like(value, name="held")
    with m.If(advance):
        m.d.sync += held.eq(value)
    return held


def later(m: Module, value: ValueLike, cycles: int, *, reset_less: bool = True) -> Any:
    """Return what ``value`` was some cycles ago."""
    passed: Any = value
    for _ in range(cycles):
        held: Any = Signal.like(value, name="later", reset_less=reset_less)
        m.d.sync += held.eq(passed)
        passed = held
    return passed
