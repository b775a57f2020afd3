"""What becomes of a command's figures, and what it says meanwhile."""

import json
from pathlib import Path

import pytest

from golden.accuracy.figures import number
from golden.base.console import working
from golden.base.errors import InputError
from golden.base.names import lookup, near, with_part
from kllm.results import STANDARD_OUTPUT, deliver


def test_the_table_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    """A disk that is full takes the file away, not what was measured."""
    with pytest.raises(InputError, match="No space left"):
        deliver(Path("/dev/full"), {"x": 1}, lambda: print("a table"))
    assert capsys.readouterr().out == "a table\n"


def test_standard_output_has_json_alone(capsys: pytest.CaptureFixture[str]) -> None:
    deliver(STANDARD_OUTPUT, {"x": 1}, lambda: print("a table"))
    assert json.loads(capsys.readouterr().out) == {"x": 1}


def test_each_stage_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with working() as say:
        for share in (0.1, 0.5, 0.9):
            say("simulation", share, "part")
        say("synthesis")
    said = capsys.readouterr()
    assert said.err.splitlines() == ["simulation", "synthesis"]
    assert said.out == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(13.12345, "13.1235"), (0.012345, "0.01235"), (0.00012344, "0.0001234"), (0, "0.0000")],
)
def test_figures_have_four_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_look_ups_say_what_there_is() -> None:
    few, many = {"a": 1, "b": 2}, [f"name{i}" for i in range(40)]
    assert lookup("thing", "a", few) == 1
    with pytest.raises(InputError, match=r"no thing 'x'; there are a, b$"):
        lookup("thing", "x", few)
    with pytest.raises(InputError, match=r"there are a, b \(`kllm list` lists all\)"):
        lookup("thing", "x", few, "kllm list")
    assert near("x", []) == "; there is none at all"
    assert near("name39x", many).startswith("; near are name39")
    assert near("quite else", many).startswith("; there are 40, such as name0, ")
    assert with_part("layer", "3", many)[0] == "name3"
    with pytest.raises(InputError, match="there are 40, such as"):
        with_part("layer", "x", many)
