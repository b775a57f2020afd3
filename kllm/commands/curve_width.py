"""The command ``kllm curve width``."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from golden.base.errors import InputError
from kllm.options import Json, LayersPart, ModelName, Plain, Seed, Tokens, Tuning
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.accuracy.width import Width

EXAMPLES = "kllm curve width --from 7 --to 8 --json width.json"


def command(
    model: ModelName = "minilm",
    layers: LayersPart = "",
    low: Annotated[int, typer.Option("--from", help="Narrowest entries, magnitude bits.")] = 6,
    high: Annotated[int, typer.Option("--to", help="Widest entries, magnitude bits.")] = 11,
    plain: Plain = False,
    tokens: Tokens = 64,
    seed: Seed = 0,
    tuning: Tuning = False,
    json_file: Json = None,
) -> None:
    """Entry width of the product table against errors, over a model's linear layers.

    Codebooks make room for the table until the arithmetic error is below a tenth of what they
    lose, where they can: what that costs stands in the column K-Means.
    """
    from golden.accuracy.width import width_curve
    from golden.base.console import working
    from golden.base.names import with_part
    from golden.models.table import require_model

    names = with_part("linear layer", layers, require_model(model).layer_names())
    if not 4 <= low <= high <= 12:
        raise InputError(f"widths must ascend within 4 to 12 bits, got {low} to {high}")
    require_json(json_file)
    widths = range(low, high + 1)
    done = iter(range(1, 1 + len(names) * len(widths)))
    with working() as say:
        say("activations")
        curve = width_curve(
            names,
            widths,
            symmetric=not plain,
            tokens=tokens,
            seed=seed,
            model=model,
            tuning=tuning,
            report=lambda: say("layers", next(done) / len(names) / len(widths)),
        )
    deliver(json_file, [asdict(width) for width in curve], lambda: show(curve))


def show(curve: "list[Width]") -> None:
    """Print a line per width."""
    from golden.base.console import console, table

    titles = ("K-Means", "with table", "mean ratio", "largest ratio", "below 1/10")
    rows = table("bits", *titles, title="errors in %")
    for w in curve:
        rows.add_row(
            str(w.magnitude_bits),
            f"{100 * w.quantisation:.2f}",
            f"{100 * w.total:.2f}",
            f"1/{1 / w.mean_ratio:.1f}",
            f"1/{1 / w.largest_ratio:.1f}",
            f"{w.below_tenth} of {w.layers}",
        )
    console().print(rows)
