"""Design points with other parameters: what of a catalogued design may be changed, and changing it.

A design's ``make`` is a ``functools.partial``. Its parameters are the fields of the specification
among its arguments, those of :class:`golden.exact.spec.NumberSpec` in it too, and its keywords.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

from gateware.design import Design
from golden.base.errors import InputError

Value = bool | int | str
KINDS = {bool: "true or false", int: "a whole number", str: "a text"}


class ImpossibleError(InputError):
    """Values that a specification refuses, alone or together."""


def specification(design: Design) -> Any:
    """Return the specification that a design is made of, or None if it has none."""
    arguments = design.make.args if isinstance(design.make, partial) else ()
    return next((value for value in arguments if _is_spec(value)), None)


def parameters(design: Design) -> dict[str, Value]:
    """Return the parameters that may be changed, and what each is now."""
    found = _flat(specification(design))
    if isinstance(design.make, partial):
        found |= {name: v for name, v in design.make.keywords.items() if type(v) in KINDS}
    return found


def variant(design: Design, changes: Mapping[str, Value]) -> Design:
    """Return a design with some parameters changed and all else, its name too, as it is.

    Parameters
    ----------
    design : Design
        One of :data:`gateware.catalog.CATALOG`, for instance.
    changes : mapping of str to value
        By names of :func:`parameters`.

    Raises
    ------
    InputError
        When there is no such parameter, or it takes no such values.
    ImpossibleError
        When these values do not go together.
    """
    known = parameters(design)
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
    try:
        arguments = [_changed(v, changes) if _is_spec(v) else v for v in make.args]
    except (TypeError, ValueError) as error:
        chosen = ", ".join(f"{name} = {value}" for name, value in changes.items())
        raise ImpossibleError(f"{design.name} cannot have {chosen}: {error}") from error
    keywords = {name: changes.get(name, value) for name, value in make.keywords.items()}
    return Design(
        name=design.name,
        make=partial(make.func, *arguments, **keywords),
        about=design.about,
        parameters={**design.parameters, **changes},
    )


def _is_spec(value: object) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _flat(spec: Any) -> dict[str, Value]:
    """Return the fields of a specification, and of those in it, that are plain values."""
    found: dict[str, Value] = {}
    for field in fields(spec) if spec is not None else ():
        value = getattr(spec, field.name)
        if _is_spec(value):
            found |= _flat(value)
        elif type(value) in KINDS:
            found[field.name] = value
    return found


def _changed(spec: Any, changes: Mapping[str, Value]) -> Any:
    """Return a specification with the fields changed that it has."""
    values = {field.name: getattr(spec, field.name) for field in fields(spec)}
    inner = {name: _changed(v, changes) for name, v in values.items() if _is_spec(v)}
    own = {name: changes[name] for name in values if name in changes}
    return replace(spec, **inner, **own)
