"""A design point: a component with every parameter chosen, and how its ports are described."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property, partial
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream, wiring

from gateware.emit import CLOCK, RESET, Emission, emission, rtlil_to_verilog
from hw.stream.component import port_texts
from hw.stream.share import call_signature, port_name

Value = bool | int | str


@dataclass(frozen=True, eq=False)
class Design:
    """A component with every parameter chosen, and a name.

    Parameters
    ----------
    name : str
        Name of the design, of its top module, and of its files.
    make : callable
        Returns a fresh component. What is known of the parameters is read from a
        ``functools.partial``.
    about : str
        What it is, in one line.
    address : str
        What :func:`gateware.points.point` finds it by where that is not the name: see
        :mod:`gateware.own`.
    """

    name: str
    make: Callable[[], wiring.Component]
    about: str = ""
    address: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not self.address:
            object.__setattr__(self, "address", self.name)

    @property
    def kind(self) -> Any:
        """The class or function that makes the component."""
        return self.make.func if isinstance(self.make, partial) else self.make

    @property
    def spec(self) -> Any:
        """The specification among the arguments, or None."""
        arguments = self.make.args if isinstance(self.make, partial) else ()
        return next((value for value in arguments if is_spec(value)), None)

    @property
    def parameters(self) -> dict[str, Value]:
        """What was chosen, as names and plain values: for readers, and for JSON.

        These are the fields of the specification, those of specifications in it too, and the
        other arguments of the constructor that are plain.
        """
        if not isinstance(self.make, partial):
            return {}
        bound = call_signature(self.make.func).bind_partial(*self.make.args, **self.make.keywords)
        return dict(_plain(bound.arguments))

    @cached_property
    def emission(self) -> Emission:
        """Its modules, elaborated once."""
        return emission(self.make(), self.name)

    def rtlil(self) -> str:
        """Return the RTLIL; the same text on every run and every machine."""
        return self.emission.text

    def verilog(self) -> str:
        """Return the Verilog; the same text on every run and every machine."""
        return rtlil_to_verilog(self.rtlil(), self.name)

    def sidecar(self) -> dict:
        """Return what a user of the Verilog must know, ready for JSON.

        ``ports`` are those of the top module but for clock and reset, each with what it is for, or
        what the interface is for that it is a part of; bit 0 of a field is bit ``offset`` of what
        holds it. ``modules`` are the shared ones, each after what holds it;
        ``latency`` is in cycles, null where it is not constant or the part has none.
        """
        made = self.emission
        top = made.modules[self.name]
        clocked = made.clocked[self.name]
        return {
            "name": self.name,
            "about": self.about,
            "address": self.address,
            "parameters": self.parameters,
            "clock": CLOCK if clocked else None,
            "reset": {"name": RESET, "active": "high", "synchronous": True} if clocked else None,
            "latency": latency(top),
            "streams": list(describe_streams(top.signature)),
            "ports": [describe_port(type(top), *port) for port in top.signature.flatten(top)],
            "modules": [
                {"name": name, "component": type(part).__name__, "latency": latency(part)}
                for name, part in made.modules.items()
                if name != self.name
            ],
        }


def is_spec(value: object) -> bool:
    """Return whether an argument is a specification, a dataclass."""
    return is_dataclass(value) and not isinstance(value, type)


def _plain(values: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """Yield the plain values, and those of specifications in place of these."""
    for name, value in values.items():
        if is_spec(value):
            yield from _plain({field.name: getattr(value, field.name) for field in fields(value)})
        elif isinstance(value, Value):
            yield name, value


def latency(component: wiring.Component) -> int | None:
    """Return the cycles that a component says it takes: its ``LATENCY`` or ``latency``."""
    value = getattr(component, "LATENCY", getattr(component, "latency", None))
    return value if isinstance(value, int) else None


def describe_port(
    kind: type, path: tuple[str | int, ...], member: wiring.Member, _value: object
) -> dict:
    """Describe one port of the Verilog: one of a component of that kind, or a part of one."""
    return {
        "name": port_name(path),
        "about": port_texts(kind).get(str(path[0]), ""),
        "direction": "in" if member.flow == wiring.In else "out",
        **describe_shape(member.shape),
    }


def describe_shape(shape: object) -> dict:
    """Describe a shape: its width, then its fields or elements, or whether it is signed."""
    if isinstance(shape, data.ArrayLayout):
        # Element n starts at bit n * element width.
        element = describe_shape(shape.elem_shape)
        return {"width": shape.size, "length": shape.length, "element": element}
    if isinstance(shape, data.Layout):
        fields = [
            {"name": str(name), "offset": field.offset, **describe_shape(field.shape)}
            for name, field in shape
        ]
        return {"width": shape.size, "fields": fields}
    plain = Shape.cast(shape)  # pyright: ignore[reportArgumentType]
    return {"width": plain.width, "signed": plain.signed}


def describe_streams(signature: Any, prefix: str = "") -> Iterator[dict]:
    """Yield each stream of a signature with the names of its three ports."""
    for name, member in signature.members.items():
        if not member.is_signature:
            continue
        for path in _indices(f"{prefix}{name}", member.dimensions):
            if isinstance(member.signature, stream.Signature):
                yield {
                    "name": path,
                    "direction": "in" if member.flow == wiring.In else "out",
                    **{part: f"{path}__{part}" for part in ("payload", "valid", "ready")},
                }
            else:
                yield from describe_streams(member.signature, f"{path}__")


def _indices(name: str, dimensions: tuple[int, ...]) -> Iterator[str]:
    """Yield the port names of an array of interfaces."""
    if not dimensions:
        yield name
        return
    for index in range(dimensions[0]):
        yield from _indices(f"{name}__{index}", dimensions[1:])
