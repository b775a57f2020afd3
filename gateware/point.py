"""A named point: a component with every parameter chosen, and what the project does with it."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.lib import stream, wiring

from gateware.design import Design
from hw.bus.axi import Channels

BENCHES = "sim.benches"
BESIDE = ""  # the bench that stands where the component does


@dataclass(frozen=True, eq=False)
class Point(Design):
    """A design that has a name: from it follow benches, proofs, Verilog, areas and datasheets.

    Parameters
    ----------
    name : str
        Unique among all points. One for benches alone says its size if a design of the
        catalogue is of the same kind.
    make : callable
        ``partial(kind, *arguments, **keywords)``.
    about : str
        What it is, in one line; a design of the catalogue has one.
    bench : str, optional
        Module in ``sim/benches`` that holds the cocotb tests, ``fp16.bench_fp16_arithmetic``
        say. By default ``token.bench_x`` for a component of ``hw/token/x.py``; None for a
        design too large for benches.
    catalogue : bool
        Whether it is a design for users: listed, and with an area in the baseline.
    steady : tuple of str
        Inputs, beside the size of the layer, that proofs take to keep their value from reset to
        reset.
    """

    bench: str | None = BESIDE
    catalogue: bool = False
    steady: tuple[str, ...] = ()

    @property
    def bench_module(self) -> str | None:
        """The bench's module by its full name; None without one."""
        if self.bench == BESIDE:
            _, *rooms, file = type(self.make()).__module__.split(".")
            return ".".join([BENCHES, *rooms, f"bench_{file}"])
        return self.bench and f"{BENCHES}.{self.bench}"

    @property
    def sends(self) -> bool:
        """Whether the component has output streams, or a bus."""
        return any(
            isinstance(member.signature, Channels)
            or (isinstance(member.signature, stream.Signature) and member.flow == wiring.Out)
            for member in self.make().signature.members.values()
            if member.is_signature
        )


def listed(
    name: str, make: Callable[[], wiring.Component], about: str, *, bench: str | None = None
) -> Point:
    """Return a point of the catalogue; few of these are small enough for a bench."""
    return Point(name, make, about, bench=bench, catalogue=True)
