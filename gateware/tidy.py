"""RTLIL of Amaranth without what linters of Verilog warn of.

Amaranth names every field of every signal, keeps what nothing reads, and leaves it to Verilog to
widen operands. Yosys has passes against that, but none of them looks into modules with processes,
which Verilog shows as always blocks. So it is done in the text, which is regular.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateware.operands import UNUSED, widened

MODULE = re.compile(r"^module (\S+)\n(.*?)^end$", re.M | re.S)
# A wire, a memory, a cell, a process or an alias, with the attributes before it.
ITEM = re.compile(
    r"(?:^  attribute .*\n)*^  (?P<kind>wire|memory|cell|process) (?P<head>.*)\n"
    r"(?:    .*\n)*(?:^  end\n)?|^connect (?P<alias>\S+) (?P<value>.*)\n",
    re.M,
)
WITH_BITS = re.compile(r"^  wire width [1-9].* (\S+)$", re.M)
OUTPUT = re.compile(r"^  wire width [1-9].* output .*?\\(\S+)$", re.M)
NO_BITS = re.compile(r"^  wire width 0 .*?(\S+)$", re.M)
INPUT = re.compile(r"^  wire width (\d+) input \d+ .*?(\S+)$", re.M)
PORT = re.compile(r"^    connect \\(\S+) (.*)\n", re.M)
ASSIGNED = re.compile(r"^ *assign (\S+)", re.M)
NAME = re.compile(r"[\\$]\S+")
# Outputs of Yosys' own cells, but for those with Y alone.
DRIVING: dict[str, set[str]] = {"$dff": {"Q"}, "$adff": {"Q"}, "$memrd_v2": {"DATA"}}


@dataclass(kw_only=True)
class Item:
    """A part of a module.

    Parameters
    ----------
    text : str
    drives : set of str
        The signals that it gives their values; of a wire its own name.
    reads : set of str
        The signals that it needs for that.
    stays : bool
        Whether it is needed whoever reads what it drives.
    """

    text: str
    drives: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    stays: bool = False


def tidy(text: str, *, every_name: bool = False) -> str:
    """Return RTLIL of the same behaviour, with operands of one width and without what is unused.

    A signal without bits is unused; of others, bits may be. Of inputs, and outputs of instances,
    that nothing reads a name says so.

    Parameters
    ----------
    text : str
        As Amaranth writes it.
    every_name : bool
        Keep all signals that have bits: in a waveform the names help.
    """
    outputs = {name: set(OUTPUT.findall(body)) for name, body in MODULE.findall(text)}

    def module(found: re.Match[str]) -> str:
        empty = {"{  }", *NO_BITS.findall(found[2])}
        items = [_item(one, outputs, empty) for one in ITEM.finditer(found[2])]
        wanted = {f"\\{port}" for port in outputs[found[1]]}
        if every_name:
            wanted.update(WITH_BITS.findall(found[2]))
        return f"module {found[1]}\n{''.join(_kept(items, wanted))}end"

    return MODULE.sub(module, text)


def _item(found: re.Match[str], outputs: dict[str, set[str]], empty: set[str]) -> Item:
    """Return a part of a module, given the outputs of all modules, and what has no bits."""
    text, kind, words = found[0], found["kind"], (found["head"] or "").split()
    if kind == "memory":
        return Item(text=text, stays=True)
    if kind == "wire":
        return Item(text=text * (words[1] != "0"), drives={words[-1]}, stays="input" in words)
    if kind == "process":
        drives = set(ASSIGNED.findall(text))
        return Item(text=text, drives=drives, reads=set(NAME.findall(text)) - drives)
    if kind is None:
        return Item(text=text, drives={found["alias"]}, reads=set(NAME.findall(found["value"])))
    is_instance = words[0] in outputs
    if is_instance:
        text = PORT.sub(lambda port: port[0] * (port[2] not in empty), text)
    driving = outputs[words[0]] if is_instance else DRIVING.get(words[0], {"Y"})
    item = Item(text=widened(text))
    for port, value in PORT.findall(text):
        (item.drives if port in driving else item.reads).update(NAME.findall(value))
    item.stays = is_instance or not item.drives
    return item


def _kept(items: list[Item], wanted: set[str]) -> Iterator[str]:
    """Yield the text of what the wanted signals and the items that stay need."""
    needs = defaultdict(set)
    for item in items:
        for name in item.drives:
            needs[name] |= item.reads
    read: set[str] = set()
    new = wanted.union(*(item.reads for item in items if item.stays))
    while new:
        read |= new
        new = set().union(*(needs[name] for name in new)) - read
    loose = set().union(*(item.drives for item in items if item.stays)) - read
    for item in items:
        if item.stays or item.drives & (read | loose):
            yield _with_unused(item.text, item.drives & loose)


def _with_unused(text: str, names: set[str]) -> str:
    """Return an item's text that says of signals that it drives that nothing reads them."""
    if names and (port := INPUT.search(text)):  # keeps its name, and another signal takes it
        width, name = port.groups()
        return f"{text}  wire width {width} {name}{UNUSED}\nconnect {name}{UNUSED} {name}\n"
    for name in names:
        text = re.sub(rf"{re.escape(name)}(?=\s)", lambda one: one[0] + UNUSED, text)
    return text
