"""The command ``kllm report``."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kllm.options import Designs, Folder, Liberty, chosen_designs, refuse

EXAMPLES = """
Examples:

kllm report  -  the explorer, and areas of every design point: build/report/*.html

kllm report --only-explorer --model config.json  -  your own model in the explorer, in seconds

kllm report tiny small --liberty sky130A -o sky  -  areas of two designs in other cells

kllm report --table eval.json --table density.json  -  with figures that other commands wrote
"""


def command(
    context: typer.Context,
    names: Designs = None,
    folder: Folder = Path("build/report"),
    liberty: Liberty = None,
    tables: Annotated[
        list[Path] | None,
        typer.Option("--table", metavar="FILE", help="JSON of another command, as a table."),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="For the explorer: by name, or its config.json; repeatable. Default: all that"
            " generate tokens.",
        ),
    ] = None,
    only_explorer: Annotated[
        bool, typer.Option("--only-explorer", help="Write the explorer alone: no areas.")
    ] = False,
) -> None:
    """Write the explorer of whole models, and areas of design points (all by default), as pages.

    explorer.html is one file with everything in it: choose a model, a memory, an engine, bits,
    texts side by side and context, and see tokens a second, joules, area, accuracy and the
    roofline, beside GPUs and the KLLM paper. Its figures are those of `kllm cycles`, and in
    explorer.json.
    report.html is one file without scripts: tables, the area of designs and of their parts, the
    units whose area the paper gives beside ours, and where every figure comes from; report.json and
    report.md have the same.
    """
    from golden.base.console import working
    from golden.base.files import make_folder, write_whole
    from synth.libraries.libraries import load
    from synth.report.data import gather, markdown
    from synth.report.page import page

    if only_explorer:
        refuse(context, "--only-explorer has no areas", "names", "liberty", "tables")
    designs = [] if only_explorer else chosen_designs(names, every=not names)
    make_folder(folder)
    command_line = " ".join(["kllm", *sys.argv[1:]])
    _explorer(models, folder, command_line)
    if only_explorer:
        typer.echo(f"{folder / 'explorer.html'} and explorer.json")
        return
    library = load(liberty or [])
    with working() as say:
        data = gather(
            designs,
            library,
            command_line,
            tables or (),
            progress=lambda part: say("synthesis", None, part),
        )
    write_whole(folder / "report.json", json.dumps(data, indent=1) + "\n")
    write_whole(folder / "report.md", markdown(data))
    write_whole(folder / "report.html", page(data))
    files = "report.html, report.md, report.json and explorer.json"
    typer.echo(f"{folder / 'explorer.html'}, {files}")


def _explorer(models: list[str] | None, folder: Path, command_line: str) -> None:
    from gateware.system.explore import default_models, explore
    from golden.base.console import working
    from golden.base.files import write_whole
    from golden.system.shapes import model_shape
    from synth.report.explorer import explorer_page

    shapes = {name: model_shape(name) for name in models or ()} or default_models()
    with working() as say:
        data = explore(shapes, lambda stage, share: say("estimates", share, stage))
    write_whole(folder / "explorer.json", json.dumps(data, separators=(",", ":")) + "\n")
    write_whole(folder / "explorer.html", explorer_page(data, command_line))
