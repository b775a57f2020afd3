"""AXI4 and AXI4-Lite as ARM IHI 0022 (issue H) has them, and AXI4-Stream as IHI 0051.

These are signatures, each as the manager or the transmitter sees it. Their members have the
standard's names. Constant signals that it lets a manager leave out, because they are zero (lock,
quality of service, region), are left out.
"""

from dataclasses import dataclass, replace
from typing import Any

from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from golden.exact.bursts import BEATS_MAX, PAGE
from hw.stream.token_buffer import Port

INCR = 1  # burst type: each beat is a word further
MODIFIABLE = 0b0011  # cache: normal memory that no cache keeps; a bus may merge and widen it
OKAY, SLVERR, DECERR = 0, 2, 3  # answers; bit 1 says that something is wrong


@dataclass(frozen=True)
class AxiSpec:
    """Sizes of an AXI4 bus, and how it is used.

    Parameters
    ----------
    address_bits : int
        Of an address in bytes.
    data_bits : int
        Of a word: a power of two from 32 to 1024; more for several ports beside each other, as
        :class:`hw.bus.port_split.PortSplit` has them.
    id_bits : int
        Of transaction numbers.
    burst_max : int
        The most beats of a burst, a power of two up to 256.
    outstanding : int
        Bursts that may be under way at once.
    """

    address_bits: int = 32
    data_bits: int = 64
    id_bits: int = 1
    burst_max: int = BEATS_MAX
    outstanding: int = 4

    def __post_init__(self) -> None:
        if self.data_bits not in (1 << n for n in range(5, 15)):
            raise ValueError(f"data_bits is a power of two from 32 to 16384, got {self.data_bits}")
        if self.burst_max not in (1 << n for n in range(1, 9)):
            raise ValueError(f"burst_max is a power of two from 2 to 256, got {self.burst_max}")
        if not 12 <= self.address_bits <= 64:
            raise ValueError(f"address_bits is from 12 to 64, got {self.address_bits}")
        if self.id_bits < 1 or self.outstanding < 1:
            raise ValueError("id_bits and outstanding are at least 1")

    def share(self, count: int) -> "AxiSpec":
        """Return one of so many ports that carry a word together."""
        if self.data_bits // count > 1024:
            raise ValueError(f"a port has 1024 bits at most, got {self.data_bits} on {count}")
        return replace(self, data_bits=self.data_bits // count)

    @property
    def word_bytes(self) -> int:
        """Bytes of a word."""
        return self.data_bits // 8

    @property
    def size(self) -> int:
        """What the standard calls the size of a beat that is a whole word."""
        return exact_log2(self.word_bytes)

    @property
    def block(self) -> int:
        """Words between the addresses at which bursts end."""
        return min(self.burst_max, PAGE // self.word_bytes)


def channels(signature: wiring.Signature) -> dict[str, list[str]]:
    """Return the signals of each channel of a bus, ``ar`` or ``w`` say."""
    found: dict[str, list[str]] = {}
    for name in signature.members:
        found.setdefault(name[:2] if name[0] == "a" else name[0], []).append(name)
    return found


def _address(kind: str, spec: AxiSpec) -> dict[str, wiring.Member]:
    """Return an address channel, ``ar`` or ``aw``."""
    parts = {"id": spec.id_bits, "addr": spec.address_bits, "len": 8, "size": 3, "burst": 2}
    parts |= {"cache": 4, "prot": 3, "valid": 1}
    members: dict[str, Any] = {f"{kind}{name}": Out(width) for name, width in parts.items()}
    return members | {f"{kind}ready": In(1)}


class Channels(Port):
    """Channels of a bus, as the manager sees them."""


class AxiRead(Channels):
    """The read channels of AXI4: AR and R."""

    def __init__(self, spec: AxiSpec) -> None:
        answer = {"rid": spec.id_bits, "rdata": spec.data_bits, "rresp": 2, "rlast": 1, "rvalid": 1}
        members: dict[str, Any] = {name: In(width) for name, width in answer.items()}
        super().__init__(_address("ar", spec) | members | {"rready": Out(1)})


class AxiWrite(Channels):
    """The write channels of AXI4: AW, W and B."""

    def __init__(self, spec: AxiSpec) -> None:
        word = {"wdata": spec.data_bits, "wstrb": spec.word_bytes, "wlast": 1, "wvalid": 1}
        answer = {"bid": spec.id_bits, "bresp": 2, "bvalid": 1}
        members: dict[str, Any] = {name: Out(width) for name, width in word.items()}
        members |= {"wready": In(1)} | {name: In(width) for name, width in answer.items()}
        super().__init__(_address("aw", spec) | members | {"bready": Out(1)})


class Axi(Channels):
    """All channels of AXI4."""

    def __init__(self, spec: AxiSpec) -> None:
        super().__init__({**AxiRead(spec).members, **AxiWrite(spec).members})


class AxiLite(Channels):
    """All channels of AXI4-Lite, with words of 32 bits."""

    def __init__(self, address_bits: int) -> None:
        out = {"araddr": address_bits, "arprot": 3, "arvalid": 1, "rready": 1}
        out |= {"awaddr": address_bits, "awprot": 3, "awvalid": 1}
        out |= {"wdata": 32, "wstrb": 4, "wvalid": 1, "bready": 1}
        back = {"arready": 1, "rdata": 32, "rresp": 2, "rvalid": 1}
        back |= {"awready": 1, "wready": 1, "bresp": 2, "bvalid": 1}
        members: dict[str, Any] = {name: Out(width) for name, width in out.items()}
        super().__init__(members | {name: In(width) for name, width in back.items()})


class AxiStream(Channels):
    """A stream of words; in frames, if need be: which bytes count, and where a frame ends."""

    def __init__(self, data_bits: int, *, framed: bool = True) -> None:
        if data_bits % 8:
            raise ValueError(f"a word is of whole bytes, not {data_bits} bits")
        frame: dict[str, Any] = {"tkeep": Out(data_bits // 8), "tlast": Out(1)} if framed else {}
        super().__init__({"tvalid": Out(1), "tready": In(1), "tdata": Out(data_bits)} | frame)


def join(inner: Any, outer: Any) -> list[Any]:
    """Return what makes the channels of a part, a reader's say, those of a whole bus."""
    statements = []
    for name, member in inner.signature.members.items():
        source, target = (inner, outer) if member.flow == Out else (outer, inner)
        statements.append(getattr(target, name).eq(getattr(source, name)))
    return statements


def ask(bus: Any, kind: str, spec: AxiSpec, word: Value, beats_less_1: Value) -> list[Any]:
    """Return what puts a burst, but for ``valid``, on an address channel; ``word`` is where."""
    wanted = {
        "id": 0,  # one number for all: answers come in order
        "addr": word << spec.size,
        "len": beats_less_1,
        "size": spec.size,
        "burst": INCR,
        "cache": MODIFIABLE,
        "prot": 0,
    }
    return [getattr(bus, f"{kind}{name}").eq(value) for name, value in wanted.items()]
