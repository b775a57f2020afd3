"""The bench's end of a token buffer's ports: it serves what is read, or keeps what is written."""

from collections.abc import Sequence
from typing import Any

import cocotb

from sim.kit.testbed import Testbed
from sim.kit.traffic import Pauses
from sim.kit.words import unpack


class ServedBuffer:
    """Serves tokens to a block's ``Out(ReadPort)`` as a token buffer would, also again.

    Parameters
    ----------
    bed : Testbed
        The bench.
    port : str
        The port's name.
    tokens : sequence of sequences of int
        Words of each token. A word that was not written is noise.
    stall : float
        Chance, per cycle, that the next token is not there yet.

    Attributes
    ----------
    released : int
        How many tokens were released.
    """

    def __init__(
        self, bed: Testbed, port: str, tokens: Sequence[Sequence[int]], *, stall: float = 0.0
    ) -> None:
        self._bed, self._port = bed, port
        self._tokens = list(tokens)
        self._pause = Pauses(bed.rng.spawn(1)[0], stall)
        self._noise = bed.rng.spawn(1)[0]
        self.released = self._kept = 0
        self._again = hasattr(bed.dut, f"{port}__keep")
        bed.tasks.append(cocotb.start_soon(self._run()))

    def _set(self, part: str, value: int) -> None:
        self._bed.set(**{f"{self._port}__{part}": value})

    def _get(self, part: str) -> int:
        return self._bed.get(f"{self._port}__{part}")

    async def _run(self) -> None:
        filled = False
        while True:
            place = self.released + self._kept
            filled = place < len(self._tokens) and (filled or not self._pause())
            self._set("filled", int(filled))
            await self._bed.settled()
            enabled, address, done = (self._get(part) for part in ("en", "address", "done"))
            token = self._tokens[place] if filled else []
            keep, back = (self._again and self._get(part) for part in ("keep", "back"))
            await self._bed.cycles()
            if enabled:
                noise = int(self._noise.integers(1 << 16))
                mask = self._bed.mask(f"{self._port}__data")
                self._set("data", token[address] if address < len(token) else noise & mask)
            if done:
                assert filled, f"{self._port}: released a token that was not there"
                filled = False
                if keep:
                    self._kept = 0 if back else self._kept + 1
                else:
                    assert not self._kept, f"{self._port}: released while others are kept"
                    self.released += 1


class WrittenBuffer:
    """Keeps what a block writes through its ``Out(WritePort)``, lane by lane; ``done`` stays low.

    Parameters
    ----------
    bed : Testbed
        The bench.
    port : str
        The port's name.

    Attributes
    ----------
    words : dict
        Of (address, lane) to what was written there last.
    """

    def __init__(self, bed: Testbed, port: str) -> None:
        self._bed, self._port = bed, port
        self.words: dict[tuple[int, int], int] = {}
        bed.tasks.append(cocotb.start_soon(self._run()))

    async def _run(self) -> None:
        lanes = self._bed.mask(f"{self._port}__en").bit_length()
        while True:
            await self._bed.settled()
            enable, address, word = (
                self._bed.get(f"{self._port}__{part}") for part in ("en", "address", "data")
            )
            assert not self._bed.get(f"{self._port}__done"), f"{self._port}: done is not its own"
            bits = self._bed.mask(f"{self._port}__data").bit_length() // lanes
            for lane in range(lanes):
                if enable >> lane & 1:
                    self.words[address, lane] = word >> (lane * bits) & ((1 << bits) - 1)
            await self._bed.cycles()


async def read_token(bed: Testbed, port: str, addresses: Sequence[int], shape: Any) -> list[Any]:
    """Read words through a block's ``In(ReadPort)`` and unpack them; the token stays."""
    words = []
    for address in addresses:
        bed.set(**{f"{port}__en": 1, f"{port}__address": address})
        await bed.cycles()
        bed.set(**{f"{port}__en": 0})
        await bed.settled()
        words.append(unpack(shape, bed.get(f"{port}__data")))
        await bed.cycles()
    return words


async def release(bed: Testbed, *ports: str) -> None:
    """Say that the token of these ports is not needed any more."""
    bed.set(**{f"{port}__done": 1 for port in ports})
    await bed.cycles()
    bed.set(**{f"{port}__done": 0 for port in ports})
