"""The picture of the chip writing: that of the kept run, and each token in its time."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from sim.chip.recording import CYCLES_A_SECOND, picture

DOCS = Path(__file__).resolve().parent.parent / "docs"
FIGURES = json.loads((DOCS / "generate.json").read_text())


def test_readme_has_the_picture_of_the_kept_run() -> None:
    assert (DOCS / "generate.svg").read_text() == picture(FIGURES)
    assert FIGURES["mismatches"] == FIGURES["bytes_that_differ"] == 0


def test_tokens_appear_when_they_were_written() -> None:
    texts = list(ElementTree.fromstring(picture(FIGURES)).iter("{http://www.w3.org/2000/svg}text"))
    shown = "".join(one.text or "" for one in texts[1:-1])
    assert shown == FIGURES["text"].replace("\n", "")
    times = [float(re.sub("[^0-9.]", "", one.get("style", "0"))) for one in texts]
    assert times == sorted(times)
    assert abs(times[-1] - sum(FIGURES["cycles"]) / CYCLES_A_SECOND) < 0.01
