"""Components whose ports are written once: name, direction, shape and what they are for.

A port is an attribute of the class, ``i = InStream(8)`` say, and the string below it says what it
is for. A shape that is a function is that of the component. It is asked at the end of the
constructor, which sets what it needs before; if it says None there is no such port. A component
has the ports of its base classes, and they come first.
"""

import ast
import inspect
import textwrap
from functools import cache
from typing import Any, Generic, Self, TypeVar

from amaranth.hdl import Module, ValueLike
from amaranth.lib import stream, wiring

from hw.stream.share import module_for, share

Spec = TypeVar("Spec")
Part = TypeVar("Part", bound=wiring.Component)


class Port:
    """A port of a :class:`Component`, as its class declares it.

    Parameters
    ----------
    flow : wiring.Flow
        Its direction.
    shape : ShapeLike, wiring.Signature or function of the component
        What it is.
    is_stream : bool
        Whether it is a stream of that.
    """

    def __init__(self, flow: wiring.Flow, shape: Any, *, is_stream: bool = False) -> None:
        self.flow, self.shape, self.is_stream = flow, shape, is_stream
        self.dimensions: Any = ()

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, component: object, kind: type) -> Any:
        """Return the port of the class: that of a component is an attribute, and found first."""
        if component is None:
            return self
        raise AttributeError(f"{kind.__name__}.{self.name} is there when its constructor is done")

    def array(self, *dimensions: Any) -> Self:
        """Make it an array of so many ports; each dimension may be a function of the component."""
        self.dimensions = dimensions
        return self

    def member(self, component: object) -> wiring.Member | None:
        """Return the port as Amaranth has it, or None if the component has no such port."""
        shape = _of(self.shape, component)
        if shape is None:
            return None
        member = self.flow(stream.Signature(shape) if self.is_stream else shape)
        if self.dimensions:
            member = member.array(*(_of(size, component) for size in self.dimensions))
        return member


def _of(value: Any, component: object) -> Any:
    """Return a value, which may be a function of the component."""
    return value(component) if inspect.isfunction(value) else value


# What these return stands for what a component has: type checkers know no more of it.
def In(shape: Any) -> Any:  # noqa: N802
    """Declare an input, or an interface as its signature has it."""
    return Port(wiring.In, shape)


def Out(shape: Any) -> Any:  # noqa: N802
    """Declare an output, or an interface with the directions of its signature turned round."""
    return Port(wiring.Out, shape)


def InStream(shape: Any) -> stream.Interface:  # noqa: N802
    """Declare a stream that comes in."""
    port: Any = Port(wiring.In, shape, is_stream=True)
    return port


def OutStream(shape: Any) -> stream.Interface:  # noqa: N802
    """Declare a stream that goes out."""
    port: Any = Port(wiring.Out, shape, is_stream=True)
    return port


class Component(wiring.Component):
    """A component with the ports that its class, and those that it derives from, declare.

    The constructor of a class keeps its arguments as attributes before it calls this one. Its
    logic is what :meth:`build` puts into a module.
    """

    platform: object  # that of elaborate(), from then on

    def __init__(self) -> None:
        members = {name: port.member(self) for name, port in ports_of(type(self)).items()}
        super().__init__({name: member for name, member in members.items() if member})

    def elaborate(self, platform: object) -> Module:
        """Return a module with the component's logic."""
        self.platform = platform
        m = module_for(platform)
        self.build(m)
        return m

    def build(self, m: Module) -> None:
        """Put the component's logic into a module."""
        raise NotImplementedError(f"{type(self).__name__} has no logic")

    def put(
        self, m: Module, name: str, part: Part, *, reset: ValueLike = 0, **inputs: ValueLike
    ) -> Part:
        """Put a part, shared with its likes, among the submodules; drive inputs of it by name.

        ``reset`` resets it in the cycles in which it is high, as the whole design's reset does.
        """
        m.submodules[name] = share(self.platform, part, reset)
        m.d.comb += [getattr(part, port).eq(value) for port, value in inputs.items()]
        return part


class Sized(Component, Generic[Spec]):
    """A component whose only parameter is a specification.

    Parameters
    ----------
    spec : dataclass
        Its sizes and numbers; immutable.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        super().__init__()


@cache
def ports_of(kind: type) -> dict[str, Port]:
    """Return the ports that a class declares or inherits, by name."""
    parts = (vars(base).items() for base in reversed(kind.__mro__))
    return {name: port for part in parts for name, port in part if isinstance(port, Port)}


@cache
def port_texts(kind: type) -> dict[str, str]:
    """Return what the ports of a class are for, by name: the strings below them."""
    texts = port_texts(kind.__base__) if kind.__base__ else {}
    if not issubclass(kind, Component) or not any(isinstance(p, Port) for p in vars(kind).values()):
        return texts
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    below = zip(tree.body, tree.body[1:], strict=False)
    declared = ports_of(kind)
    return texts | {
        node.targets[0].id: " ".join(text.value.value.split())
        for node, text in below
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if node.targets[0].id in declared
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(text.value.value, str)
    }
