"""The command ``kllm study``."""

from typing import TYPE_CHECKING, Annotated

import typer

from kllm.options import (
    BitsA,
    BitsW,
    Json,
    LayersPart,
    ModelName,
    Outliers,
    Recipe,
    Seed,
    Symmetric,
    Tokens,
    Tuning,
)
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.accuracy.error_split import ErrorSplit

EXAMPLES = """
Examples:

kllm study --symmetric  -  all 36 linear layers of MiniLM

kllm study --model lm --layers down_proj  -  some of the language model's

kllm study --layers output.dense --bits-a 3 --json study.json
"""


def command(
    model: ModelName = "minilm",
    layers: LayersPart = "",
    tokens: Tokens = 64,
    bits_w: BitsW = 4,
    bits_a: BitsA = 4,
    symmetric: Symmetric = False,
    magnitude_bits: Annotated[
        int | None,
        typer.Option(help="Bits of a table entry beside its sign, 4 to 12; default: the engines'."),
    ] = None,
    outliers: Outliers = 0.005,
    recipe: Recipe = "refined",
    seed: Seed = 0,
    tuning: Tuning = False,
    json_file: Json = None,
) -> None:
    """Split the errors of a model's linear layers: codebooks against integer arithmetic.

    Calibration and measurement use different texts, and nothing was chosen on what is measured.
    Errors are root mean squares relative to that of a layer's outputs without bias and mean; beside
    them integer round-to-nearest with the same bits, with a scale per token and in groups of 128.
    """
    from golden.accuracy.error_split import study
    from golden.base.console import working
    from golden.base.names import with_part
    from golden.models.layer_source import model_layers
    from golden.models.table import require_model

    names = with_part("linear layer", layers, require_model(model).layer_names())
    require_json(json_file)
    errors = study(
        model_layers(names, tokens, None, seed, model, tuning=tuning),
        weight_bits=bits_w,
        activation_bits=bits_a,
        symmetric=symmetric,
        outlier_share=outliers,
        magnitude_bits=magnitude_bits,
        recipe=recipe,
    )
    found: dict[str, ErrorSplit] = {}
    with working() as say:
        say("layers", 0)
        for name, split in errors:
            found[name] = split
            say("layers", len(found) / len(names))
    figures = [{"layer": name, **split.relative()} for name, split in found.items()]
    deliver(json_file, figures, lambda: show(found))


def show(found: "dict[str, ErrorSplit]") -> None:
    """Print the errors of each layer, and how many keep the arithmetic error small."""
    from golden.base.console import console, table

    titles = ("K-Means", "INT", "INT, 128", "arithmetic", "ratio")
    rows = table("layer", *titles, title="errors in %")
    for name, split in found.items():
        *shares, ratio = split.relative().values()
        rows.add_row(name, *(f"{100 * share:.2f}" for share in shares), f"1/{1 / ratio:.1f}")
    screen = console()
    screen.print(rows)
    ratios = [split.ratio for split in found.values()]
    for part in (10, 5):
        below = sum(ratio < 1 / part for ratio in ratios)
        screen.print(f"arithmetic error below 1/{part} of K-Means': {below} of {len(ratios)}")
