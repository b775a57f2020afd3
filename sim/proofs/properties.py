"""What a proof says: rules that must hold, assumptions about inputs, goals to be reached."""

from collections.abc import Callable

from amaranth.hdl import Assert, Assume, Cover, Module, Signal, Value, ValueLike
from amaranth.lib import stream


class Properties:
    """The properties of a design, each with a name of its own, a single word.

    ``rules``, ``assumptions`` and ``goals`` have a signal for each.

    Parameters
    ----------
    m : Module
        The module that they are added to.
    platform : object
        As ``elaborate`` got it. On None, in Amaranth's simulator, there are the signals alone:
        it would stop at what is not true for a moment only.
    """

    def __init__(self, m: Module, platform: object) -> None:
        self.rules: dict[str, Signal] = {}
        self.assumptions: dict[str, Signal] = {}
        self.goals: dict[str, Signal] = {}
        self._m = m
        self._checked = platform is not None

    def rule(self, name: str, condition: ValueLike) -> None:
        """Demand that ``condition`` holds in every cycle of every run that is allowed."""
        self._add(self.rules, Assert, name, condition)

    def assume(self, name: str, condition: ValueLike) -> None:
        """Allow only runs in which ``condition`` holds in every cycle."""
        self._add(self.assumptions, Assume, name, condition)

    def reach(self, name: str, condition: ValueLike) -> None:
        """Demand that ``condition`` holds in some cycle of some run: no rule holds for nothing."""
        self._add(self.goals, Cover, name, condition)

    def _add(
        self, kind: dict[str, Signal], statement: Callable, name: str, condition: ValueLike
    ) -> None:
        assert name not in self.rules | self.assumptions | self.goals, name
        kind[name] = signal = Signal(name=name)
        self._m.d.comb += signal.eq(Value.cast(condition).bool())
        if self._checked:
            self._m.d.comb += statement(signal, name)


def keeps(m: Module, value: Value, name: str) -> Value:
    """Return whether ``value`` is what it was in the first cycle after the last reset."""
    later, first = Signal(name=f"{name}_later"), Signal.like(value, name=f"{name}_first")
    m.d.sync += later.eq(1)
    with m.If(~later):
        m.d.sync += first.eq(value)
    return ~later | (value == first)


def waits(m: Module, s: stream.Interface, name: str) -> tuple[Signal, Value]:
    """Return whether a stream had to wait in the last cycle, and whether it holds still then."""
    payload = Value.cast(s.payload)
    waited = Signal(name=f"{name}_waited")
    before = Signal.like(payload, name=f"{name}_before")
    m.d.sync += [waited.eq(s.valid & ~s.ready), before.eq(payload)]
    return waited, ~waited | (s.valid & (payload == before))
