"""The bench's end of a vector memory's ports: what a unit reads, and what it writes."""

from collections.abc import Sequence

import cocotb
import numpy as np

from golden.exact.fp16 import BitArray
from hw.vector.vector_spec import VectorSpec
from sim.kit.testbed import Testbed


class VectorMemory:
    """Serves a block's ``read`` port and keeps what its ``write`` port writes, if it has them.

    Parameters
    ----------
    bed : Testbed
        The bench; its block has a ``spec``. It says when it is ``idle`` and takes instructions
        ``i``, or is a :class:`hw.chip.unit.Unit`.
    numbers : (words * word_lanes,) uint16, optional
        What is in the memory; by default any patterns.

    Attributes
    ----------
    numbers : (words * word_lanes,) uint16
        What is in it now.
    """

    def __init__(self, bed: Testbed, numbers: BitArray | None = None) -> None:
        self._bed = bed
        self._spec: VectorSpec = getattr(bed.block.spec, "vectors", bed.block.spec)
        size = self._spec.words * self._spec.word_lanes
        self.numbers = bed.rng.integers(1 << 16, size=size).astype(np.uint16)
        if numbers is not None:
            self.numbers[:] = numbers
        ports = bed.block.signature.members
        self._reads, self._writes = ("read" in ports), ("write" in ports)
        self._is_unit, self._warns = ("busy" in ports), ("writes" in ports)

    def serve(self) -> None:
        """Begin to serve the ports; a reset ends it."""
        self._bed.tasks.append(cocotb.start_soon(self._run()))

    def put(self, word: int, values: BitArray) -> None:
        """Put a vector into the memory, from a word on."""
        at = word * self._spec.word_lanes
        self.numbers[at : at + len(values)] = values

    def _word(self, address: int) -> Sequence[int]:
        lanes = self._spec.word_lanes
        return self.numbers[address * lanes : (address + 1) * lanes].tolist()

    def _is_idle(self) -> bool:
        bed = self._bed
        if self._is_unit:
            return not bed.get("busy")
        return bed.get("idle") and not bed.port("i__valid")

    async def _run(self) -> None:
        bed, lanes = self._bed, self._spec.word_lanes
        while True:
            await bed.settled()
            reads = self._reads and bed.get("read__en")
            read = self._word(bed.get("read__address")) if reads else None
            mask = bed.get("write__en") if self._writes else 0
            if self._is_idle():
                assert read is None, "an idle unit must leave the memory to others"
                assert not mask, "an idle unit must leave the memory to others"
            if mask:
                assert not self._warns or bed.get("writes"), "others think that they may write"
                at = bed.get("write__address") * lanes
                for lane, value in enumerate(bed.get("write__data")):
                    if mask >> lane & 1:
                        self.numbers[at + lane] = value
            await bed.cycles()
            if read is not None:
                bed.set(read__data=read)


async def hold_writes(bed: Testbed, stall: float) -> None:
    """Take the write side from a block with ``hold``, now and then."""
    while True:
        taken = bed.rng.random() < stall
        bed.set(hold=int(taken))
        await bed.settled()
        assert not (taken and bed.get("write__en")), "the write side is in use"
        await bed.cycles()
