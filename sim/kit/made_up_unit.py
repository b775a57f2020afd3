"""A unit of the chip that is not there: how long it is busy with a step, asks and writes."""

from typing import Any

from sim.kit.testbed import Testbed

LONG = 90  # cycles of a step in which the next instruction is fetched and worked out


class Unit:
    """LINEAR's unit, or all others: what they show of a step.

    Parameters
    ----------
    bed : Testbed
    kind : str
        What the names of its ports begin with.
    """

    def __init__(self, bed: Testbed, kind: str) -> None:
        self.bed, self.kind = bed, kind
        self.left = self.loud = self.first = 0
        self.writes = self.asking = self.writing = False
        self.shown: Any = None
        self.number = -1

    def asks(self) -> None:
        """Begin to ask for the words of the next step."""
        self.first = int(self.bed.rng.integers(1, 4))

    def begin(self, number: int, shown: Any) -> None:
        """Begin a step; for some of its cycles ask for more, or write."""
        assert not self.left, "a step begins while its unit is busy"
        self.number, self.shown = number, shown
        self.left = int(self.bed.rng.choice([1, 2, 7, LONG])) + 1
        self.loud = int(self.bed.rng.integers(self.left + 12))  # answers may come later
        self.writes = not self.kind and bool(self.bed.rng.integers(2))

    def check(self) -> None:
        """Check that the step has not changed."""
        if self.left:
            assert self.bed.get(f"{self.kind}step") == self.shown, "a step changed under way"

    def pass_cycle(self) -> int | None:
        """Show what a cycle has changed; return the number of the step that has ended in it."""
        was = self.left
        self.left, self.loud = max(self.left - 1, 0), max(self.loud - 1, 0)
        self.asking = bool(self.first or (self.loud and self.left and not self.writes))
        self.writing = bool(self.loud and self.writes)
        self.first = max(self.first - 1, 0)
        shown = {"busy": int(self.left > 0), "asking": int(self.asking)}
        self.bed.set(**{f"{self.kind}{name}": value for name, value in shown.items()})
        if not self.kind:
            self.bed.set(writing=int(self.writing))
        return self.number if was and not self.left else None
