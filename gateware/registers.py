"""The registers of a chip for others than its hardware, all made from its SystemRDL file.

Of an engine on streams there is the table, too.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from peakrdl_cheader.c_standards import CStandard
from peakrdl_cheader.exporter import CHeaderExporter
from peakrdl_html import HTMLExporter
from peakrdl_ipxact import IPXACTExporter

import hw.linear.shell.stream_engine
from hw.bus.register_map import Kind, RegisterMap, read_tree
from hw.chip.chip import REGISTERS, registers

USAGE = """usage:
    python -m gateware.registers                     # the header of the driver
    python -m gateware.registers build/registers     # the header, a page in HTML, IP-XACT
    python -m gateware.registers --markdown          # the table that docs/driver.md has
    python -m gateware.registers --markdown stream   # the one that docs/linear.md has
"""
HEADER = Path(__file__).with_name("driver") / "kllm_registers.h"
VENDOR = "kllm"
END = "\n#ifdef __cplusplus\n}"  # what PeakRDL's header ends with
ACCESS = {
    Kind.CONSTANT: "read",
    Kind.STATUS: "read",
    Kind.CONTROL: "read, write",
    Kind.STROBE: "write",
    Kind.EVENT: "read, write 1 to clear",
}


def header() -> str:
    """Return PeakRDL's header, and the numbers that have names, of which it has none."""
    tree = read_tree(REGISTERS)
    with TemporaryDirectory() as folder:
        file = Path(folder, HEADER.name)
        # Later standards' assertions need <assert.h>, which is not everywhere.
        CHeaderExporter().export(tree, str(file), std=CStandard.gnu99, reuse_typedefs=False)
        text = file.read_text(encoding="utf-8").rstrip() + "\n"
    at = text.rindex(END)
    return text[:at].rstrip() + "\n" + "".join(_enums(tree)) + text[at:]


def _enums(tree: Any) -> list[str]:
    """Return a C enumeration for each that a field has."""
    found = {}
    for register in tree.registers():
        for field in register.fields():
            if kind := field.get_property("encode"):
                found[kind.type_name] = kind
    texts = []
    for name, kind in found.items():
        lines = [f"    {name.upper()}_{one.name} = {one.value}, // {one.rdl_desc}" for one in kind]
        texts.append("\n".join([f"\nenum {name} {{", *lines, "};\n"]))
    return texts


def markdown(words: RegisterMap) -> str:
    """Return a table of all fields."""
    lines = ["| offset | register | bits | field | access | reset | says |"]
    lines.append("| --- | --- | --- | --- | --- | ---: | --- |")
    for one in words:
        for n, field in enumerate(one.fields):
            bits = f"{field.low + field.bits - 1}:{field.low}" if field.bits > 1 else f"{field.low}"
            reset = "" if one.kind == Kind.STATUS else f"{field.reset:#x}"
            cells = [bits, f"`{field.name}`", ACCESS[one.kind], reset]
            first = ["", ""] if n else [f"`{one.address:#04x}`", f"`{one.name}`"]
            says = [text for text in ("" if n else one.about, field.about) if text]
            cells = [*first, *cells, ": ".join(says)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write the header, a page and IP-XACT into a folder."""
    tree: Any = read_tree(REGISTERS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HEADER.name).write_text(header(), encoding="utf-8")
    HTMLExporter().export(tree, str(folder / "html"))
    version = tree.find_by_path("version.major").get_property("reset")
    exporter = IPXACTExporter(vendor=VENDOR, library=VENDOR, version=str(version))
    exporter.export(tree, str(folder / f"{tree.inst_name}.xml"))


def main(arguments: list[str]) -> None:
    """Write the driver's header, or print the table, or write all into a folder."""
    match arguments:
        case []:
            HEADER.write_text(header(), encoding="utf-8")
        case ["--markdown"]:
            print(markdown(registers()))
        case ["--markdown", "stream"]:
            print(markdown(hw.linear.shell.stream_engine.registers()))
        case [folder] if not folder.startswith("-"):
            write(Path(folder))
        case _:
            sys.exit(USAGE)


if __name__ == "__main__":
    main(sys.argv[1:])
