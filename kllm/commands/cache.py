"""The command ``kllm cache``."""

from typing import Annotated

import typer

from kllm.options import Json
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm cache  -  what is kept, where, and how much room it takes

kllm cache --clear  -  remove it

KLLM_CACHE=~/kllm kllm cache  -  another folder; empty: nothing is kept
"""
KINDS = {
    "simulation": "Verilog for simulators",
    "verilog": "Verilog of designs",
    "models": "simulators' programs",
    "layers": "quantised layers",
    "areas": "areas of designs",
    "components": "components in cells",
    "timing": "longest paths",
}


def command(
    clear: Annotated[bool, typer.Option("--clear", help="Remove all that is kept.")] = False,
    json_file: Json = None,
) -> None:
    """Say what is kept of earlier work, by content: Verilog, programs, layers, areas.

    The folder is build/cache, or the one that KLLM_CACHE names (empty: nothing is kept). The name
    of a file is a hash of all that it was made from, sources and tools too: nothing is ever
    stale, and all of it can be made anew.
    """
    from golden.base.cache import default_cache
    from golden.base.console import console, table

    require_json(json_file)
    cache = default_cache()
    if clear:
        cache.clear()
    rows = [
        {"kind": kind, "files": len(paths), "bytes": sum(path.stat().st_size for path in paths)}
        for kind, paths in cache.files().items()
    ]

    def show() -> None:
        shown = table("what", "files", "MB", title=str(cache.folder or "nothing is kept"))
        for row in rows:
            kind = KINDS.get(row["kind"], row["kind"])
            shown.add_row(kind, str(row["files"]), f"{row['bytes'] / 1e6:.1f}")
        console().print(shown)

    figures = {"folder": str(cache.folder) if cache.folder else None, "kept": rows}
    deliver(json_file, figures, show)
