"""One component mapped to the cells of a library: its own gates, and how many of what it holds."""

import gzip
import hashlib
import importlib.metadata
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from gateware.yosys import run_yosys
from golden.base.errors import ToolError
from synth.libraries.liberty import Library
from synth.mapping.components import CHILD, NAME, Component
from synth.mapping.flow import HAND_OVER, back, front, maps, take_over
from synth.mapping.memories import MEMORY, Store, is_memory, stays, store_of


@dataclass(frozen=True)
class Mapped:
    """A component in cells.

    Parameters
    ----------
    cells : dict of str to int
        Its own cells of the library, by kind.
    children : dict of str to int
        How often it holds ``child0``, ``child1`` ...
    stores : tuple of Store
        Its own memories that are no flip-flops.
    netlist_json : bytes
        The module as Yosys' ``write_json`` describes it, gzipped; :attr:`netlist` reads it.
    """

    cells: dict[str, int]
    children: dict[str, int]
    stores: tuple[Store, ...]
    netlist_json: bytes

    @cached_property
    def netlist(self) -> dict:
        """Ports, cells and net names, as Yosys has them."""
        return json.loads(gzip.decompress(self.netlist_json))

    def record(self) -> bytes:
        """Return everything as one text, for a file."""
        counts = {
            "cells": self.cells,
            "children": self.children,
            "stores": [asdict(store) for store in self.stores],
        }
        return json.dumps(counts).encode() + b"\n" + self.netlist_json

    @classmethod
    def of_record(cls, content: bytes) -> "Mapped":
        """Read what :meth:`record` made; any damage is a ValueError."""
        head, _, netlist = content.partition(b"\n")
        try:
            counts = json.loads(head)
            stores = tuple(Store(**store) for store in counts["stores"])
            return cls(counts["cells"], counts["children"], stores, netlist)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no record of a component: {error}") from None


def flow_digest(library: Library) -> str:
    """Return a hash of all that stands between RTLIL and cells."""
    parts = [
        importlib.metadata.version("pyosys"),
        library.digest,
        *front(NAME),
        *HAND_OVER,
        *take_over(NAME, []),
        *back(NAME, _liberty_names(library), library.avoided),
        *(text for pair in sorted(maps(library).items()) for text in pair),
        stays.__doc__ or "",
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _liberty_names(library: Library) -> list[str]:
    return [f"library{number}.lib" for number in range(len(library.files))]


def map_component(part: Component, library: Library, timeout: float) -> Mapped:
    """Map one component.

    Raises
    ------
    ToolError
        When Yosys is missing, fails or takes longer than ``timeout`` seconds.
    """
    task = f"synthesis of {part.name} within {timeout:g} s"
    deadline = time.monotonic() + timeout
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        names = _liberty_names(library)
        texts = dict(zip(names, library.texts.values(), strict=True)) | maps(library)
        texts["design.il"] = part.text
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        first, last = front(NAME), back(NAME, names, library.avoided)
        if "memory " not in part.text and "$mem" not in part.text:
            run_yosys(folder, [*first, *last], task=task, timeout=timeout)
        else:
            run_yosys(folder, [*first, *HAND_OVER], task=task, timeout=timeout)
            small = _small_memories(folder / "memories.json")
            left = max(deadline - time.monotonic(), 0.001)
            run_yosys(folder, [*take_over(NAME, small), *last], task=task, timeout=left)
        modules = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))["modules"]
    return _read(modules[NAME], library)


def _small_memories(path: Path) -> list[str]:
    modules = json.loads(path.read_text(encoding="utf-8"))["modules"]
    cells = modules.get(NAME, {"cells": {}})["cells"]
    return [name for name, cell in cells.items() if is_memory(cell) and not stays(cell)]


def _read(module: dict, library: Library) -> Mapped:
    kinds = Counter(cell["type"] for cell in module["cells"].values())
    cells = {kind: n for kind, n in sorted(kinds.items()) if kind in library.cells}
    children = {kind: n for kind, n in sorted(kinds.items()) if kind.startswith(CHILD)}
    for kind in kinds.keys() - cells.keys() - children.keys() - {MEMORY}:
        raise ToolError(f"synthesis left a cell {kind} that {library.name} does not have")
    stores = tuple(
        store_of(name, cell) for name, cell in sorted(module["cells"].items()) if is_memory(cell)
    )
    kept = {name: module[name] for name in ("ports", "cells", "netnames")}
    text = json.dumps(kept, separators=(",", ":")).encode()
    # Level 1: a tenth of the time, half as large again. No time stamp: same content, same bytes.
    return Mapped(cells, children, stores, gzip.compress(text, 1, mtime=0))
