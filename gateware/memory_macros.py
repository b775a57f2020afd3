"""Memories as macros: apart from the rest of a design's Verilog, and as black boxes of it."""

import re

from gateware.design import Design, describe_port
from gateware.emit import CLOCK, RESET
from hw.stream.word_memory import MODULE, WordMemory

TEXT = re.compile(rf"^module ({MODULE}\w+)\(.*?^endmodule\n", re.S | re.M)
HEAD = """\
// The memories of {name}, as {what}.
// Each has the name of its size: bits of a word x words, and after w the parts of a word that are
// written alone. Of all its ports `{clock}` clocks the inputs, and `{reset}` is without effect. The
// word at read_address is at read_data a cycle after read_en, as it was before that cycle's write,
// and stays there until another is read. Words begin as anything.
"""
WARNINGS = "// verilator lint_off UNUSEDSIGNAL\n// verilator lint_off UNDRIVEN\n"
MULTIPLE = "// verilator lint_off DECLFILENAME\n"


def memories(design: Design) -> dict[str, WordMemory]:
    """Return the memories of a design that a macro can be, by the names of their modules."""
    made = design.emission.modules
    return {
        name: part
        for name, part in made.items()
        if isinstance(part, WordMemory) and name == part.module_name
    }


def describe(design: Design) -> list[dict]:
    """Return what a user must know of the memories, ready for JSON."""
    return [
        {
            "name": name,
            "bits": one.bits,
            "words": one.words,
            "parts": one.parts,
            "ports": [describe_port(type(one), *port) for port in one.signature.flatten(one)],
        }
        for name, one in memories(design).items()
    ]


def guarded(text: str) -> str:
    """Return a design's Verilog so that it can be read behind another's with the same memories."""

    def guard(module: re.Match[str]) -> str:
        name = module[1].upper()
        return f"`ifndef {name}\n`define {name}\n{module[0]}`endif\n"

    return TEXT.sub(guard, text)


def apart(design: Design) -> dict[str, str]:
    """Return the files, by what is put behind the design's name, of Verilog without its memories.

    ``.v`` has all else, ``_memories.v`` the memories as they are, ``_memories_stub.v`` black boxes
    with their ports.
    """
    text = design.verilog()
    modules = "".join(module[0] for module in TEXT.finditer(text))
    head = {"name": design.name, "clock": CLOCK, "reset": RESET}
    boxes = "".join(_box(one) for one in describe(design))
    return {
        ".v": TEXT.sub("", text),
        "_memories.v": HEAD.format(what="they are", **head) + MULTIPLE + modules,
        "_memories_stub.v": HEAD.format(what="black boxes", **head) + WARNINGS + MULTIPLE + boxes,
    }


def _box(memory: dict) -> str:
    """Return a module without contents."""
    ports = [("in", 1, CLOCK), ("in", 1, RESET)]
    ports += [(port["direction"], port["width"], port["name"]) for port in memory["ports"]]
    lines = [
        f"  {way}put wire {f'[{width - 1}:0] ' * (width > 1)}{name}" for way, width, name in ports
    ]
    body = ",\n".join(lines)
    return f"(* blackbox *)\nmodule {memory['name']} (\n{body}\n);\nendmodule\n"
