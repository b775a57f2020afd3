"""UART writer: bytes on a serial line."""

from amaranth.hdl import Cat, Const, Module, Signal

from hw.stream.component import Component, InStream, Out


class UartWriter(Component):
    """Send bytes, the lowest bit first, with one start and one stop bit and no parity.

    Parameters
    ----------
    cycles : int
        Of a bit: the clock's frequency by the line's rate.

    Timing
    ------
    Latency : 1 cycle from a transfer on ``i`` to the start bit.
    Rate : a byte in ``10 * cycles`` cycles.
    Through paths : none.
    Reset : the line is at rest.
    """

    i = InStream(8)
    """Bytes."""
    tx = Out(1)
    """The line; high at rest."""

    def __init__(self, cycles: int) -> None:
        if cycles < 2:
            raise ValueError(f"cycles is at least 2, got {cycles}")
        self.cycles = cycles
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        # What is still to send: behind the last bit a one, which never leaves, marks the end.
        bits, left = Signal(11, init=1), Signal(range(self.cycles))
        level = Signal(init=1)
        m.d.comb += [self.i.ready.eq((bits == 1) & ~left.any()), self.tx.eq(level)]
        with m.If(self.i.ready & self.i.valid):
            m.d.sync += [
                bits.eq(Cat(self.i.payload, Const(0b11, 3))),
                level.eq(0),
                left.eq(self.cycles - 1),
            ]
        with m.Elif(left.any()):
            m.d.sync += left.eq(left - 1)
        with m.Elif(bits != 1):
            m.d.sync += [Cat(level, bits).eq(bits), left.eq(self.cycles - 1)]
