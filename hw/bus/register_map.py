"""Register map: what a SystemRDL file says of the registers that a host sees.

systemrdl-compiler reads the file and checks it by the standard, Accellera's SystemRDL 2.0; here
what is left is refused unless :class:`hw.bus.register_bank.RegisterBank` does what it asks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from amaranth.hdl import Cat, Const, Value, ValueLike
from amaranth.utils import bits_for
from systemrdl.compiler import RDLCompiler
from systemrdl.node import AddrmapNode, FieldNode, RegNode, RootNode

WORD_BITS = 32
WORD_BYTES = WORD_BITS // 8


class Kind(Enum):
    """What a register is for: what the host and the chip may do to its fields."""

    CONSTANT = ("r", "na")  # it reads the same always
    CONTROL = ("rw", "r")  # the host writes it and can read it back
    STROBE = ("w", "r", "singlepulse")  # what the host writes is there for a cycle; it reads 0
    STATUS = ("r", "w")  # the chip says what it reads; a write does nothing
    EVENT = ("rw", "w", "intr", "woclr")  # the chip sets bits, the host clears what it writes as 1


ACCESS = {"sw", "hw", "onwrite", "woclr", "singlepulse", "intr"}  # these say of which kind it is
KNOWN = ACCESS | {"name", "desc", "reset", "enable", "encode"}


@dataclass(frozen=True)
class Field:
    """Bits of a register.

    Parameters
    ----------
    name : str
    low, bits : int
        The lowest of them, and how many there are.
    reset : int
        What it holds after a reset; 0 if the chip says what it reads.
    about : str
        What it says, in one line.
    enable : tuple of str, optional
        Register and field of the bit that lets it interrupt the host; without one, it always does.
    """

    name: str
    low: int
    bits: int
    reset: int
    about: str
    enable: tuple[str, str] | None = None


@dataclass(frozen=True)
class Register:
    """A word that a host sees.

    Parameters
    ----------
    name : str
    address : int
        In bytes, that of a word.
    kind : Kind
    fields : tuple of Field
        Side by side, the first from bit 0 on.
    about : str
        What it says, in one line.
    """

    name: str
    address: int
    kind: Kind
    fields: tuple[Field, ...]
    about: str

    @property
    def bits(self) -> int:
        """Its lowest ones, that are of fields; the others read 0."""
        return sum(one.bits for one in self.fields)

    @property
    def reset(self) -> int:
        """What it holds after a reset."""
        return sum(one.reset << one.low for one in self.fields)

    def split(self, word: Value) -> dict[str, Value]:
        """Return its fields, taken from its bits."""
        return {one.name: word[one.low :][: one.bits] for one in self.fields}

    def word(self, **fields: ValueLike) -> Value:
        """Return its bits, put together from its fields."""
        parts = []
        for one in self.fields:
            given = fields[one.name]
            part = Const(given, one.bits) if isinstance(given, int) else Value.cast(given)
            if len(part) != one.bits or (isinstance(given, int) and given >> one.bits):
                raise ValueError(f"{self.name}.{one.name} has {one.bits} bits: {given} has not")
            parts.append(part)
        return Cat(parts)


@dataclass(frozen=True)
class RegisterMap:
    """All registers of a chip.

    Parameters
    ----------
    registers : tuple of Register
        In the order of their addresses.
    """

    registers: tuple[Register, ...]

    def __iter__(self) -> Iterator[Register]:
        return iter(self.registers)

    def __getitem__(self, name: str) -> Register:
        return next(one for one in self.registers if one.name == name)

    @property
    def address_bits(self) -> int:
        """Of an address in bytes, that all of them need."""
        return bits_for(max(one.address for one in self.registers) + WORD_BYTES - 1)

    def of(self, *kinds: Kind) -> list[Register]:
        """Return the registers of some kinds."""
        return [one for one in self.registers if one.kind in kinds]


def read_tree(path: Path) -> AddrmapNode:
    """Return the tree that systemrdl-compiler makes of a file, from its address map on."""
    compiler = RDLCompiler()
    compiler.compile_file(str(path))
    root: RootNode = compiler.elaborate()
    return root.top


def register_map(top: AddrmapNode) -> RegisterMap:
    """Return what a tree says of its registers.

    Raises
    ------
    ValueError
        When it asks for what the register bank does not do.
    """
    found = []
    for node in top.children(unroll=True):
        if not isinstance(node, RegNode):
            raise ValueError(f"{node.inst_name}: a register bank has registers, and no more")
        found.append(_register(node))
    return RegisterMap(tuple(found))


def _register(node: RegNode) -> Register:
    """Return what a tree says of a register."""
    name, width = node.inst_name, node.get_property("regwidth")
    if width != WORD_BITS:
        raise ValueError(f"{name}: a register has {WORD_BITS} bits, not {width}")
    kinds = {_kind(field) for field in node.fields()}
    if len(kinds) > 1:
        raise ValueError(f"{name}: all fields of a register are of one kind")
    (kind,) = kinds
    fields, end = [], 0
    for field in node.fields():
        if field.low != end:
            raise ValueError(f"{name}: fields stand side by side from bit 0 on")
        end = field.high + 1
        fields.append(_field(field, kind))
    about = _line(node.get_property("desc"))
    return Register(name, node.absolute_address, kind, tuple(fields), about)


def _kind(field: FieldNode) -> Kind:
    """Return of which kind a field makes its register."""
    where = f"{field.parent.inst_name}.{field.inst_name}"
    if more := set(field.list_properties()) - KNOWN:
        raise ValueError(f"{where}: the register bank does not know {', '.join(sorted(more))}")
    said = [field.get_property(side).name for side in ("sw", "hw")]
    said += [name for name in ("singlepulse", "intr") if field.get_property(name)]
    if on_write := field.get_property("onwrite"):
        said.append(on_write.name)
    try:
        return Kind(tuple(said))
    except ValueError:
        raise ValueError(f"{where}: the register bank has no kind {' '.join(said)}") from None


def _field(field: FieldNode, kind: Kind) -> Field:
    """Return what a tree says of a field."""
    reset: Any = field.get_property("reset")
    where = f"{field.parent.inst_name}.{field.inst_name}"
    if (reset is None) != (kind == Kind.STATUS):
        raise ValueError(f"{where}: a reset is said of all but what the chip says itself")
    enable: Any = field.get_property("enable")
    return Field(
        name=field.inst_name,
        low=field.low,
        bits=field.width,
        reset=reset or 0,
        about=_line(field.get_property("desc")),
        enable=enable and (enable.parent.inst_name, enable.inst_name),
    )


def _line(text: str | None) -> str:
    """Return a description as one line."""
    return " ".join((text or "").split())
