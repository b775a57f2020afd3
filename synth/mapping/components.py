"""The components of a design, each apart: what is synthesised once however often it stands.

Every shared module (:func:`hw.stream.share.share`) is a component; parts that are not shared
belong to the one that holds them. Within its text a component is called ``component`` and those
it holds ``child0``, ``child1`` ..., so that the same component has the same text in every design.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateware.design import Design

NAME = "component"
CHILD = "child"
# A module with the attributes above it; Amaranth closes each with `end` at the start of a line.
MODULE = re.compile(r"(?:^attribute [^\n]*\n)*^module \\(\S+)\n.*?^end\n", re.M | re.S)
CELL = re.compile(r"^(\s*cell) \\(\S+) ", re.M)
PORT = re.compile(r"^  wire .*\b(?:input|output|inout) \d+ .*\n", re.M)
# Notes for readers and waveforms, which name the design or say nothing that gates depend on.
NOTE = re.compile(r"^ *attribute \\(?:top|generator|src|amaranth\.\w+|enum_\S+) .*\n", re.M)


def child_number(kind: str) -> int:
    """Return n of ``childn``."""
    return int(kind.removeprefix(CHILD))


@dataclass(frozen=True)
class Component:
    """One module of a design, with all that it holds but for other components.

    Parameters
    ----------
    name : str
        The module's name in the design.
    text : str
        RTLIL: this module, and of each child its ports alone.
    children : tuple of str
        What ``child0``, ``child1`` ... are called in the design.
    """

    name: str
    text: str
    children: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A hash of what its own gates depend on."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def components(design: Design) -> dict[str, Component]:
    """Return the components of a design by name, the whole design first."""
    made = design.emission
    texts: dict[str, list[str]] = {name: [] for name in made.modules}
    for module in MODULE.finditer(made.text):
        owner = module[1].split(".", 1)[0]  # what is not shared is called parent.part
        texts[owner].append(NOTE.sub("", module[0]))
    ports = {name: "".join(PORT.findall(_module(parts, name))) for name, parts in texts.items()}
    return {name: _component(name, "".join(texts[name]), ports) for name in texts}


def _module(texts: list[str], name: str) -> str:
    """Return the text of the module that a component is called after."""
    return next(text for text in texts if f"module \\{name}\n" in text)


def _component(name: str, text: str, ports: Mapping[str, str]) -> Component:
    kinds = dict.fromkeys(kind for _, kind in CELL.findall(text))
    children = [kind for kind in kinds if kind in ports]
    called = {child: f"{CHILD}{number}" for number, child in enumerate(children)}

    def rename(module: str) -> str:
        own, dot, part = module.partition(".")
        return called.get(module) or (f"{NAME}{dot}{part}" if own == name else module)

    text = CELL.sub(lambda cell: f"{cell[1]} \\{rename(cell[2])} ", text)
    text = re.sub(
        r"^module \\(\S+)$", lambda found: f"module \\{rename(found[1])}", text, flags=re.M
    )
    boxes = [
        f"attribute \\blackbox 1\nmodule \\{called[child]}\n{ports[child]}end\n"
        for child in children
    ]
    return Component(name, text + "".join(boxes), tuple(children))


def times(top: str, held: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Return how often each module stands below ``top``, which stands once.

    Parameters
    ----------
    top : str
        The module that holds all.
    held : mapping
        For each module how many of which others it holds directly.

    Returns
    -------
    dict of str to int
        Holders before what they hold.
    """
    order: dict[str, None] = {}

    def visit(module: str) -> None:
        if module not in order:
            for child in held[module]:
                visit(child)
            order[module] = None

    visit(top)
    result = dict.fromkeys(reversed(order), 0)
    result[top] = 1
    for module in result:
        for child, count in held[module].items():
            result[child] += result[module] * count
    return result
