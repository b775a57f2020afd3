"""Small trees over bit vectors."""

from amaranth.hdl import Module, Signal, Value


def first_two(m: Module, bits: Value, name: str) -> tuple[Value, Value]:
    """Return the lowest one of ``bits``, and the next one.

    Each is a vector like ``bits`` with one bit set, or none. Logarithmic depth.
    """
    some = Signal(len(bits), name=f"{name}_some")  # at least one, here or further down
    two = Signal(len(bits), name=f"{name}_two")
    m.d.comb += some.eq(bits)
    step = 1
    while step < len(bits):
        more_some = Signal(len(bits), name=f"{name}_some{step}")
        more_two = Signal(len(bits), name=f"{name}_two{step}")
        m.d.comb += [
            more_some.eq(some | (some << step)),
            more_two.eq(two | (two << step) | (some & (some << step))),
        ]
        some, two, step = more_some, more_two, 2 * step
    before, before_two = (some << 1)[: len(bits)], (two << 1)[: len(bits)]
    return bits & ~before, bits & before & ~before_two


def at_least(bits: Value) -> tuple[Value, Value, Value]:
    """Return whether one, two and three or more of ``bits`` are set; logarithmic depth."""
    none = Value.cast(0)
    counts = [(bit, none, none) for bit in bits]
    while len(counts) > 1:
        pairs = zip(counts[::2], [*counts[1::2], (none, none, none)], strict=False)
        counts = [
            (a1 | b1, a2 | b2 | (a1 & b1), a3 | b3 | (a2 & b1) | (a1 & b2))
            for (a1, a2, a3), (b1, b2, b3) in pairs
        ]
    return counts[0]
