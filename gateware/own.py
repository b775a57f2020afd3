"""Designs of one's own sizes: a named one and what differs, in one line of text.

``minilm:inputs_max=4096,output_lanes=128`` stands wherever the name of a design does: on the
command line, in a file, in what goes to another process.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gateware.design import Design, Value
from gateware.parameters import explained
from gateware.variant import (
    BEFORE,
    BETWEEN,
    KINDS,
    D,
    ImpossibleError,
    address,
    value_text,
    variant,
)
from golden.base.errors import InputError
from golden.base.names import require_name
from golden.exact.spec import default_numbers
from hw.stream.share import looked_at

NAME = "name"  # of the design and its top module, in place of one made of the changes
IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.A)
LONGEST = 64  # letters of a name made of changes; longer ones end in a hash
FORM, WIDTH = {"symmetric", "activation_bits"}, "magnitude_bits"  # which follows from the form
TRUTH = {"false": False, "true": True}


def is_own(text: str) -> bool:
    """Whether a text stands for a design with sizes of one's own."""
    return BEFORE in text


def own(base: D, said: str) -> D:
    """Return a design with the changes that the text behind its name says.

    With ``symmetric`` or ``activation_bits`` the width of rows changes to what is usual, unless it
    is said.

    Raises
    ------
    InputError
        If it has no such parameter; if a value is none for it, with what it can be.
    """
    texts = changes_of([said])
    name = texts.pop(NAME, None)
    if name is not None and not IDENTIFIER.fullmatch(name):
        raise InputError(
            f"the name {name!r} is none for a Verilog module: letters, digits and _ alone"
        )
    known = base.parameters
    for one in texts:
        require_name("parameter", one, known, f"kllm verilog --explain {base.name}", base.name)
    said_values = {one: _value(one, text, known[one]) for one, text in texts.items()}
    changes = said_values | _rows_of(base, said_values)
    try:
        changed = variant(base, changes)
        looked_at(changed.make())
    except ImpossibleError as error:
        raise ImpossibleError(f"{error}. {_advice(base, changes, str(error))}") from None
    except (TypeError, ValueError) as error:
        raise ImpossibleError(f"{base.name} cannot have {said}: {error}") from error
    if name:
        return replace(changed, name=name, address=address(changed.address, {NAME: name}))
    return replace(changed, name=_name(base.name, said_values))


def changes_of(said: Iterable[str]) -> dict[str, str]:
    """Return the names and values, still texts, of what is written NAME=VALUE,NAME=VALUE.

    Raises
    ------
    InputError
        If something is not written so.
    """
    found = {}
    for text in (one for whole in said for one in whole.split(BETWEEN)):
        name, _, value = (part.strip() for part in text.partition("="))
        if not (name and value):
            raise InputError(f"{text!r} sets no parameter: write NAME=VALUE")
        found[name] = value
    return found


def _value(name: str, text: str, usual: Value) -> Value:
    """Return the value of a parameter that is written so."""
    try:
        if isinstance(usual, bool):
            return TRUTH[text.lower()]
        return int(text, 0) if isinstance(usual, int) else text
    except (KeyError, ValueError):
        raise InputError(f"{name} must be {KINDS[type(usual)]}, got {text!r}") from None


def _rows_of(base: Design, changes: Mapping[str, Value]) -> dict[str, Value]:
    """Return the usual width of rows of another form, if that is another and none is said."""
    numbers = getattr(base.spec, "numbers", None)
    if numbers is None or WIDTH in changes or not FORM & changes.keys():
        return {}
    form: Any = {one: changes.get(one, getattr(numbers, one)) for one in FORM}
    usual = default_numbers(**form).magnitude_bits
    return {WIDTH: usual} if usual != numbers.magnitude_bits else {}


def _name(base: str, changes: Mapping[str, Value]) -> str:
    """Return a name for a design, its module and its files, that says what differs."""
    whole = "_".join([base, *(f"{one}_{value_text(value)}" for one, value in changes.items())])
    name = re.sub(r"\W", "_", whole, flags=re.A)
    if len(name) <= LONGEST:
        return name
    return f"{base}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _advice(base: Design, changes: Mapping[str, Value], error: str) -> str:
    """Explain the parameters that are in the way: those that the error names, or all changed."""
    named = [one for one in changes if re.search(rf"\b{one}\b", error.partition(": ")[2])]
    said = []
    for one in named or changes:
        others = {other: value for other, value in changes.items() if other != one}
        try:
            said.append(explained(variant(base, others), [one]))
        except ImpossibleError:  # the others do not go together either
            said.append(explained(base, [one]))
    return " ".join(said)
