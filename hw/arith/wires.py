"""Names for what expressions say: an expression that is used twice is otherwise emitted twice."""

from amaranth.hdl import Module, Signal, Value


def wire(m: Module, value: Value, name: str) -> Signal:
    """Return a signal that always has the value."""
    signal = Signal(value.shape(), name=name)
    m.d.comb += signal.eq(value)
    return signal
