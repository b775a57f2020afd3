"""Addresses of memory that grow: 32 bits are added in two cycles, for one carry comes too late."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Signal, Value, ValueLike

from hw.chip.chip_spec import ADDRESS_BITS

HALF = ADDRESS_BITS // 2


class Address:
    """A register whose lower half is right in the next cycle, and the upper one cycle later.

    Parameters
    ----------
    m : Module
        Where it lives.
    name : str
        Its name there.
    """

    def __init__(self, m: Module, name: str) -> None:
        self._low = Signal(HALF, name=f"{name}_low")
        self._high = Signal(HALF, name=f"{name}_high")
        self._more = Signal(HALF, name=f"{name}_more")  # what the upper half is still to have
        self._carry = Signal(name=f"{name}_carry")
        self.value: Value = Cat(self._low, self._high)
        m.d.sync += [
            self._high.eq(self._high + self._more + self._carry),
            self._more.eq(0),
            self._carry.eq(0),
        ]

    def put(self, start: Value, more: ValueLike = 0) -> list[Any]:
        """Return what makes it ``start + more``, one at the least two cycles after another."""
        return [*self._add(start, more), self._high.eq(start[HALF:])]

    def grow(self, more: ValueLike) -> list[Any]:
        """Return what adds to it, in any cycle."""
        return self._add(self.value, more)

    def _add(self, start: Value, more: ValueLike) -> list[Any]:
        wide = Value.cast(more)
        if len(wide) < ADDRESS_BITS:
            wide = Cat(wide, Const(0, ADDRESS_BITS - len(wide)))
        total = start[:HALF] + wide[:HALF]
        return [
            self._low.eq(total),
            self._carry.eq(total[HALF]),
            self._more.eq(wide[HALF:ADDRESS_BITS]),
        ]
