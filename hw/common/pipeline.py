"""Registers of pipelines that move on as one."""

from typing import Any

from amaranth.hdl import Module, Signal, ValueLike


def stage(m: Module, advance: ValueLike, value: ValueLike) -> Any:
    """Return a register that takes ``value`` whenever the pipeline moves on."""
    held: Any = Signal.like(value, name="held")
    with m.If(advance):
        m.d.sync += held.eq(value)
    return held
