"""The explorer: one page with its data and all scripts in it, so that it needs no network."""

import json
import re
from html import escape
from pathlib import Path
from typing import Any

PARTS = Path(__file__).with_name("web")
NAMES = ("page.html", "style.css", "charts.js", "script.js")


def explorer_page(data: dict[str, Any], command: str) -> str:
    """Return the page.

    Parameters
    ----------
    data : dict
        As :func:`gateware.system.explore.explore` has it.
    command : str
        What made the page.
    """
    from plotly.offline import get_plotlyjs  # takes a moment, and is for this page alone

    texts = {name: (PARTS / name).read_text(encoding="utf-8") for name in NAMES}
    # What is in a script must not end it.
    said = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    filled = {
        "STYLE": texts["style.css"],
        "DATA": said,
        "PLOTLY": get_plotlyjs(),
        "SCRIPT": texts["charts.js"] + texts["script.js"],
        "FOOTER": f"Made by <code>{escape(command)}</code>. Data: explorer.json beside this page."
        " Charts: plotly.js, MIT licence, in this file.",
    }
    return re.sub("@([A-Z]+)@", lambda found: filled[found[1]], texts["page.html"])
