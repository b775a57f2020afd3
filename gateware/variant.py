"""Design points with other parameters: what of a catalogued design may be changed, and changing it.

What may be changed are its :attr:`gateware.design.Design.parameters`.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeVar

from gateware.design import Design, Value, is_spec
from golden.base.errors import InputError
from hw.stream.share import call_signature

D = TypeVar("D", bound=Design)
BEFORE, BETWEEN = ":", ","  # what changes, and of each other, in a design's address
KINDS = {bool: "true or false", int: "a whole number", str: "a text"}


class ImpossibleError(InputError):
    """Values that a specification refuses, alone or together."""


def variant(design: D, changes: Mapping[str, Value]) -> D:
    """Return a design with some parameters changed, its name as it is, and ``about`` saying so.

    Parameters
    ----------
    design : Design
        One of :data:`gateware.points.POINTS`, for instance.
    changes : mapping of str to value
        By names of its parameters.

    Raises
    ------
    InputError
        When there is no such parameter, or it takes no such values.
    ImpossibleError
        When these values do not go together.
    """
    known = design.parameters
    for name, value in changes.items():
        if name not in known:
            raise InputError(
                f"{design.name} has no parameter {name!r}; allowed are {', '.join(known) or 'none'}"
            )
        if type(value) is not type(known[name]):
            raise InputError(f"{name} must be {KINDS[type(known[name])]}, got {value!r}")
    make = design.make
    if not isinstance(make, partial) or not changes:
        return design
    chosen = ", ".join(f"{name} = {value}" for name, value in changes.items())
    bound = call_signature(make.func).bind_partial(*make.args, **make.keywords)
    try:
        for name, value in bound.arguments.items():
            bound.arguments[name] = (
                _changed(value, changes) if is_spec(value) else changes.get(name, value)
            )
    except (TypeError, ValueError) as error:
        raise ImpossibleError(f"{design.name} cannot have {chosen}: {error}") from error
    changed = partial(make.func, *bound.args, **bound.kwargs)
    return replace(
        design,
        make=changed,
        about=f"{design.name} with {chosen}",
        address=address(design.address, changes),
    )


def address(base: str, changes: Mapping[str, object]) -> str:
    """Return the text that stands for a design with changes, after those that it may have."""
    said = BETWEEN.join(f"{name}={value_text(value)}" for name, value in changes.items())
    return f"{base}{BETWEEN if BEFORE in base else BEFORE}{said}" if said else base


def value_text(value: object) -> str:
    """Return a value as users write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _changed(spec: Any, changes: Mapping[str, Value]) -> Any:
    """Return a specification with the fields changed that it has."""
    values = {field.name: getattr(spec, field.name) for field in fields(spec)}
    inner = {name: _changed(v, changes) for name, v in values.items() if is_spec(v)}
    own = {name: changes[name] for name in values if name in changes}
    return replace(spec, **inner, **own)
