"""The commands ``kllm sweep ...``: one choice varied, all else as it is."""

import typer

from golden.accuracy.bits_cli import EXAMPLES, bits
from golden.accuracy.width_cli import width


def make_app() -> typer.Typer:
    """Return the commands."""
    app = typer.Typer(
        help="Vary one choice of the quantiser and measure.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.command("width", epilog="kllm sweep width --from 7 --to 8 --json width.json")(width)
    app.command("bits", epilog=EXAMPLES)(bits)
    return app
