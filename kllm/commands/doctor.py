"""The command ``kllm doctor``."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from golden.base.errors import ToolError
from kllm.options import Json
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.base.tools import Tool

EXAMPLES = "kllm doctor --json tools.json"


def command(json_file: Json = None) -> None:
    """Say for each tool that a command needs which version is here and whether it will do.

    The exit status is 1 when something is missing that is not optional.
    """
    import golden.base.tools
    import sim.kit.tools
    import synth.libraries.tools

    require_json(json_file)
    tools = [
        *golden.base.tools.requirements(),
        *sim.kit.tools.requirements(),
        *synth.libraries.tools.requirements(),
    ]
    figures = [{**asdict(tool), "will_do": tool.will_do} for tool in tools]
    deliver(json_file, figures, lambda: show(tools))
    missing = [tool.name for tool in tools if not tool.will_do and not tool.optional]
    if missing:
        raise ToolError(f"{', '.join(missing)} will not do; `make setup` installs what is missing")


def show(tools: "list[Tool]") -> None:
    """Print what was found as a table, with what to do about the rest."""
    from rich.text import Text

    from golden.base.console import console, table

    rows = table("tool", "version", "will do", "needed for", "by", numeric=False)
    for tool in tools:
        missing = Text("no, optional", "yellow") if tool.optional else Text("no", "red")
        answer = Text("yes", "green") if tool.will_do else missing
        rows.add_row(tool.name, tool.version or "-", answer, tool.purpose, tool.commands)
    screen = console()
    screen.print(rows)
    for tool in tools:
        if not tool.will_do:
            text = f"{tool.name}: {tool.problem}; get it with: {tool.get}"
            screen.print(text, soft_wrap=True, markup=False, highlight=False)
