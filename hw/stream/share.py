"""Sub-components of which a design holds many: emitted once, instantiated often."""

import inspect
from typing import Any, Protocol, TypeVar, runtime_checkable

from amaranth.hdl import (
    ClockSignal,
    Elaboratable,
    Instance,
    Module,
    ResetInserter,
    ResetSignal,
    Value,
    ValueCastable,
    ValueLike,
)
from amaranth.lib import wiring

Part = TypeVar("Part")
_SIMULATED = "for_simulator"  # what a module for one has
_USED = "_MustUse__used"  # what Amaranth asks of a component in the end


@runtime_checkable
class SharingPlatform(Protocol):
    """A platform that makes one module of all components that are the same."""

    def module_of(self, component: wiring.Component) -> tuple[str, bool]:
        """Return the module's name, and whether it has a clock and a reset."""
        ...


def share(platform: object, component: wiring.Component, reset: ValueLike = 0) -> Any:
    """Return what to put among a parent's submodules in place of ``component``.

    On a :class:`SharingPlatform` that is an instance of the module that ``component`` shares
    with all its likes, wired to the ports of ``component``; the parent connects those ports as
    ever. On any other platform (None in Amaranth's simulator) it is ``component`` itself.

    Components are alike when their class and the arguments of its constructor are, so the class
    must keep each argument, immutable, as an attribute of the same name. What is changed on a
    component after its construction is lost. The only clock domain is ``sync``; where ``reset`` is
    high the component is reset as by the domain's reset.

    Examples
    --------
    In a parent's ``elaborate``::

        m.submodules.lane0 = share(platform, lane0)
        m.d.comb += lane0.i.eq(self.i)
    """
    if not isinstance(platform, SharingPlatform):
        return ResetInserter(Value.cast(reset))(component) if _may_be(reset) else component
    name, clocked = platform.module_of(component)
    looked_at(component)  # it is used, though by its ports alone
    whole = ResetSignal() | reset if _may_be(reset) else ResetSignal()
    ports = [("i", "clk", ClockSignal()), ("i", "rst", whole)] if clocked else []
    for path, member, value in component.signature.flatten(component):
        kind = "i" if member.flow == wiring.In else "o"
        plain = value.as_value() if isinstance(value, ValueCastable) else value
        ports.append((kind, port_name(path), plain))
    return Instance(name, *ports)


def _may_be(reset: ValueLike) -> bool:
    """Return whether a reset of a component's own is there."""
    return not isinstance(reset, int)


def port_name(path: tuple[str | int, ...]) -> str:
    """Return how a port is called in Verilog, given its name and those of what it is a part of.

    Two underscores stand between them. There is one in an AXI bus, which is called ``m_axi`` or
    ``s_axi``, and in a stream, ``m_axis``, ``s_axis``: tools tell their signals by their names.
    """
    separator = "_" if str(path[0]).endswith(("_axi", "_axis")) else "__"
    return separator.join(map(str, path))


def module_for(platform: object) -> Module:
    """Return an empty module, which is for a simulator if the platform is."""
    m = Module()
    setattr(m, _SIMULATED, getattr(platform, "simulation", False))
    return m


def simulated(m: Module) -> bool:
    """Return whether a module is for a simulator alone.

    There a sum of words runs far faster than one written bit by bit, and it is the same sum:
    ``tests/test_simulated_text.py`` proves that, bit for bit.
    """
    return getattr(m, _SIMULATED, False)


def looked_at(part: Part) -> Part:
    """Return a component or module that is not built, nor its parts: Amaranth warns of such."""
    if not getattr(part, _USED, False):
        setattr(part, _USED, True)
        for value in vars(part).values():
            for inner in value if isinstance(value, list | tuple) else (value,):
                if isinstance(inner, Elaboratable):
                    looked_at(inner)
    return part


def call_signature(make: Any) -> inspect.Signature:
    """Return the signature of a function, or of a class: its constructor's, without ``self``.

    Of a class that inherits its constructor, Python's older releases would say what Amaranth's
    ``__new__`` takes, which is anything.
    """
    if not inspect.isclass(make):
        return inspect.signature(make)
    whole = inspect.signature(make.__init__)
    return whole.replace(parameters=list(whole.parameters.values())[1:])


def likeness(component: wiring.Component) -> tuple:
    """Return a key that is equal for components that are alike, and for no others.

    Raises
    ------
    TypeError
        When the class hides an argument of its constructor, or keeps a mutable one.
    """
    kind = type(component)
    key: list[object] = [kind]
    for name, parameter in call_signature(kind).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{kind.__name__} takes *{name}: what is shared names its arguments")
        if not hasattr(component, name):
            raise TypeError(
                f"{kind.__name__} must keep its argument {name} as the attribute {name}:"
                " that tells its copies apart"
            )
        value = getattr(component, name)
        try:
            hash(value)
        except TypeError:
            raise TypeError(
                f"{kind.__name__}.{name} must be immutable (hashable), got {value!r}"
            ) from None
        key.append((type(value), value))  # the type, for True == 1 == 1.0
    return tuple(key)
