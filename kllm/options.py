"""Options that several commands share: each is declared once, and means the same everywhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError

if TYPE_CHECKING:
    from gateware.design import Design

LAYER = "encoder.layer.0.attention.self.query"

Json = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="Write the figures as JSON; - prints it, and no table."
    ),
]
Kept = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="Show what --json wrote; measure nothing."),
]
DecoderFile = Annotated[
    Path | None,
    typer.Option(
        "--decoder",
        metavar="FILE",
        help="A decoder that `python -m golden.chip` wrote; the one in the repository by default.",
    ),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print the table in Markdown.")]
Plot = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Draw the figures: .png, .svg or .pdf.")
]
Folder = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to.")]
Listing = Annotated[bool, typer.Option("--list", help="List what there is.")]

Designs = Annotated[
    list[str] | None,
    typer.Argument(metavar="DESIGN", help="Design points; `kllm verilog --list` has them."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A parameter of the design that is to have another value; repeatable. `kllm verilog"
        " --explain DESIGN` says which there are.",
    ),
]
SpecFile = Annotated[
    Path | None,
    typer.Option(
        "--spec",
        metavar="FILE.toml",
        help='The same as lines NAME = VALUE; base = "DESIGN" in it can stand in for the design'
        " and name for the name of what comes of it.",
    ),
]
Liberty = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME|FILE[,FILE...]",
        help="Cell library: osu018, osu035, osu050, a kit below $PDK_ROOT (sky130A, gf180mcu,"
        " ihp-sg13g2; KIT/CELLS for other cells of it), or Liberty files, gzipped or not."
        " Default: OSU 0.18 um, or what KLLM_LIBERTY names.",
    ),
]
Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=1.0, help="Time limit for each component.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A Dask scheduler, such as tcp://host:8786; its workers need kllm and what the command"
        " needs. Default: workers here.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--jobs", metavar="N", min=1, help="Workers here; default: every core."),
]
Simulator = Annotated[str, typer.Option(help="icarus or verilator.")]
Area = Annotated[bool, typer.Option(help="Measure the area in gates.")]

ModelName = Annotated[str, typer.Option(help="minilm, or lm: the language model.")]
LayersPart = Annotated[
    str, typer.Option(metavar="PART", help="Only linear layers with this in their name.")
]
Tokens = Annotated[int, typer.Option(help="Tokens to measure on.")]
BitsW = Annotated[int, typer.Option(help="Bits of a weight index, 2 to 4.")]
BitsA = Annotated[
    int, typer.Option(help="Bits of an activation, 2 to 5; or 8: rows made of a grid.")
]
Outliers = Annotated[float, typer.Option(help="Share kept as outliers on each side, 0 to 0.5.")]
Symmetric = Annotated[bool, typer.Option("--symmetric", help="Codebooks symmetric about zero.")]
Plain = Annotated[bool, typer.Option("--plain", help="Codebooks that need not be symmetric.")]
Recipe = Annotated[str, typer.Option(help="How weights are quantised: refined, weighted or paper.")]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        help="kllm, or a published one, such as rtn_asym_g128, quarot_asym_g128 or atom;"
        " repeatable.",
    ),
]
Calibration = Annotated[int, typer.Option(help="Texts, or windows, to calibrate on.")]
Texts = Annotated[int, typer.Option(help="Other texts to measure on.")]
Tuning = Annotated[
    bool,
    typer.Option(
        "--tuning",
        help="Measure on the text that methods are chosen on: to try something. Figures are of"
        " text new to them.",
    ),
]
Seed = Annotated[int, typer.Option(help="Chooses the texts, and what is random.")]
Seeds = Annotated[int, typer.Option(help="How many seeds to run, from --seed on.")]


def given(context: typer.Context, *names: str) -> list[str]:
    """Return those of the parameters that the user gave, as they are written."""
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names
        and (source := context.get_parameter_source(parameter.name))
        and source.name == "COMMANDLINE"  # Typer may bring a Click of its own
    ]


def refuse(context: typer.Context, why: str, *names: str) -> None:
    """Refuse options that would be without effect.

    Raises
    ------
    InputError
        If one of them was given; the text says why it has none.
    """
    if useless := given(context, *names):
        raise InputError(f"{why}: leave out {', '.join(useless)}")


def own_sizes(name: str | None, sets: list[str] | None, spec: Path | None) -> str | None:
    """Return the address of a design with sizes of one's own: see :mod:`gateware.own`.

    Parameters
    ----------
    name : str or None
        The design that they are given for; the file can say it, too.
    sets, spec
        What ``--set`` and ``--spec`` say; the former has the last word.

    Raises
    ------
    InputError
        If the file cannot be read, or says another design.
    """
    from gateware.variant import address

    changes = set_values(sets, spec)
    base = changes.pop("base", name)
    if name and base != name:
        raise InputError(f"{spec} is for {base}, not for {name}: name one of them")
    if base is None and changes:
        raise InputError('own sizes are those of a design: name one, or write base = "DESIGN"')
    return None if base is None else address(str(base), changes)


def set_values(sets: list[str] | None, spec: Path | None) -> dict[str, str]:
    """Return the names and values, as texts, that ``--set`` and ``--spec`` say."""
    from gateware.own import changes_of
    from gateware.variant import value_text

    plain = read_spec(spec) if spec else {}
    return {name: value_text(value) for name, value in plain.items()} | changes_of(sets or [])


def read_spec(path: Path) -> dict[str, Any]:
    """Return the names and values of a specification's file.

    Raises
    ------
    InputError
        If it cannot be read, or holds more than plain values.
    """
    import tomllib

    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    for name, value in plain.items():
        if not isinstance(value, bool | int | str):
            raise InputError(f"{path}: {name} must be a plain value, got {value!r}")
    return plain


def chosen_designs(
    names: list[str] | None,
    *,
    every: bool = False,
    sets: list[str] | None = None,
    spec: Path | None = None,
) -> "list[Design]":
    """Return the designs that the user named, or all; each with the user's sizes.

    Raises
    ------
    InputError
        When one does not exist, or none is named.
    """
    from gateware.points import CATALOGUE, point

    if every:
        return list(CATALOGUE.values())
    own = [own_sizes(name, sets, spec) for name in names or [None]]
    names = [name for name in own if name is not None]
    if not names:
        raise InputError("name design points (`kllm verilog --list` has them), or say --all")
    return [point(name) for name in dict.fromkeys(names)]


def numbers(option: str, text: str | None) -> list[int]:
    """Return the numbers that an option was given with commas between them; none without it.

    Raises
    ------
    InputError
        If they are none.
    """
    try:
        return [int(number) for number in text.split(",")] if text is not None else []
    except ValueError:
        raise InputError(
            f"{option} takes numbers with commas between them, such as 1,2,3; got {text!r}"
        ) from None


def token_numbers(text: str) -> list[int]:
    """Return the tokens of ``--prompt-ids``."""
    return numbers("--prompt-ids", text)
