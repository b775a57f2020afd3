"""What a design's parameters mean, and which values they can have: for users, from one place.

The meaning stands in the docstring of the component or of its specification, under *Parameters*.
What is allowed is tried out on the specification itself, so it is true beside the other values.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import partial
from math import gcd
from typing import Any

from gateware.design import Design, Value, is_spec
from gateware.variant import KINDS, ImpossibleError, variant
from golden.base.errors import InputError

SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)", re.S | re.M)
ENTRY = re.compile(r"^(\w+(?:, \w+)*) : .*\n((?:    .*\n|\n)*)", re.M)
TRIED = sorted({*range(65), *(k << n for k in (1, 3) for n in range(6, 25))})
FEW = 8  # values that are listed one by one


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a design.

    Parameters
    ----------
    name : str
    value : bool, int or str
        What the design has.
    meaning : str
        In a sentence or some.
    allowed : str
        What it can be while the others stay as they are.
    dependent : tuple of str
        Parameters whose meaning speaks of this one.
    """

    name: str
    value: Value
    meaning: str
    allowed: str
    dependent: tuple[str, ...]


def parameters(design: Design) -> list[Parameter]:
    """Return what there is to know of each parameter of a design."""
    texts = meanings(design)
    return [
        Parameter(
            name=name,
            value=value,
            meaning=texts.get(name, ""),
            allowed=allowed(design, name),
            dependent=dependents(texts, name),
        )
        for name, value in design.parameters.items()
    ]


def meanings(design: Design) -> dict[str, str]:
    """Return what docstrings say of a design's parameters, by name."""
    make = design.make
    given = [*make.args, *make.keywords.values()] if isinstance(make, partial) else []
    found: dict[str, str] = {}
    for kind in (design.kind, *(type(one) for value in given for one in _specs(value))):
        for one in reversed(inspect.getmro(kind) if inspect.isclass(kind) else (kind,)):
            found |= _documented(one)
    return {name: found[name] for name in design.parameters if name in found}


def dependents(texts: dict[str, str], name: str) -> tuple[str, ...]:
    """Return the parameters whose meaning speaks of one."""
    said = re.compile(rf"``{name}``")
    return tuple(other for other, text in texts.items() if other != name and said.search(text))


def _specs(value: Any) -> Iterator[Any]:
    """Yield a specification and those in it."""
    if is_spec(value):
        yield value
        for field in fields(value):
            yield from _specs(getattr(value, field.name))


def _documented(kind: Any) -> dict[str, str]:
    """Return the entries of the section *Parameters* of a docstring, each on one line."""
    section = SECTION.search(inspect.cleandoc(kind.__doc__ or "") + "\n")
    entries = ENTRY.findall(section[1]) if section else []
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def allowed(design: Design, name: str) -> str:
    """Say which values a parameter can have while the others stay as they are."""
    kind = type(design.parameters[name])
    if kind is str or (kind is int and _plain_argument(design, name)):
        return KINDS[kind]
    if kind is bool:
        return " or ".join(
            text for text in ("false", "true") if _fits(design, name, text == "true")
        )
    return _said(lambda value: _fits(design, name, value))


def _fits(design: Design, name: str, value: Value) -> bool:
    """Whether a design can have such a value."""
    try:
        variant(design, {name: value})
    except ImpossibleError:
        return False
    return True


def _plain_argument(design: Design, name: str) -> bool:
    """Whether it is the component's: trying many would make many, of any size."""
    spec = design.spec
    return not any(name in {f.name for f in fields(one)} for one in _specs(spec))


def _said(fits: Callable[[int], bool]) -> str:
    """Say which whole numbers fit, by trying some."""
    good = [value for value in TRIED if fits(value)]
    if not good:
        return "nothing"
    low, high = good[0], good[-1]
    if len(good) > 2 and not any(value & (value - 1) for value in good):
        return f"a power of two from {low} to {high}"
    if len(good) == 1 or (len(good) <= FEW and good != list(range(low, high + 1))):
        return ", ".join(map(str, good))
    step = gcd(*good)
    above = next((value for value in TRIED if value > high), None)
    if above is None:
        return f"{low} or more"
    while above - high > step:  # the most is between two that were tried
        middle = high + (above - high) // 2 // step * step
        if middle == high:
            break
        high, above = (middle, above) if fits(middle) else (high, middle)
    return f"from {low} to {high}" + (f", a multiple of {step}" if step > 1 else "")


def explained(design: Design, names: list[str]) -> str:
    """Return a sentence for each parameter: what it is, can be, and what depends on it.

    Raises
    ------
    InputError
        If there is no such parameter.
    """
    known = meanings(design)
    sentences = []
    for name in names:
        if name not in design.parameters:
            raise InputError(f"{design.name} has no parameter {name!r}")
        depends = dependents(known, name)
        sentences.append(
            f"{name}: {known.get(name, '')} Beside the other values it can be"
            f" {allowed(design, name)}."
            + (f" Of it depends what {', '.join(depends)} can be." if depends else "")
        )
    return " ".join(sentences)
