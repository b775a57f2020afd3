"""The command ``kllm curve inputs``."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kllm.options import BitsA, Json, LayersPart, ModelName, Outliers, Plain, Seed, Tuning
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from golden.accuracy.static_outliers import InputErrors

EXAMPLES = "kllm curve inputs --bits-a 3"
# Layers of MiniLM and of the language model that read the same inputs as another.
SAME_INPUTS = ("self.key", "self.value", "k_proj", "v_proj", "up_proj")


def command(
    model: ModelName = "minilm",
    layers: LayersPart = "",
    bits_a: BitsA = 4,
    outliers: Outliers = 0.005,
    plain: Plain = False,
    tokens: Annotated[int, typer.Option(help="Tokens to measure on.")] = 256,
    seed: Seed = 0,
    tuning: Tuning = False,
    json_file: Json = None,
) -> None:
    """Errors of the inputs: dynamic against static outliers, offline against online codebooks.

    Root mean squares in % of the inputs', each token in its own scale. Ours: outliers of each
    token, one codebook a layer, the mean magnitude as the token scale. Beside it: static
    thresholds (and which share is beyond them), a codebook fitted online to each token, other
    token scales. Layers that read the same inputs as another are left out.
    """
    from golden.accuracy.static_outliers import input_errors
    from golden.base.console import working
    from golden.base.names import with_part
    from golden.models.layer_source import model_layers
    from golden.models.table import require_model

    known = [n for n in require_model(model).layer_names() if not n.endswith(SAME_INPUTS)]
    names = with_part("layer", layers, known)
    require_json(json_file)
    found = {}
    with working() as say:
        say("activations")
        for source in model_layers(names, tokens, None, seed, model, tuning=tuning):
            say("layers", len(found) / len(names), source.name)
            found[source.name] = input_errors(
                source, bits_a, symmetric=not plain, outlier_share=outliers
            )
    figures = [{"layer": name, **asdict(errors)} for name, errors in found.items()]
    deliver(json_file, figures, lambda: show(found))


def show(found: "dict[str, InputErrors]") -> None:
    """Print a line per layer, and the means."""
    from golden.base.console import console, table

    titles = ("ours", "static", "outliers", "online", "s_a RMS", "s_a largest")
    lines = table("layer", *titles, title="errors in %")
    rows = [list(asdict(errors).values()) for errors in found.values()]
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    for name, row in [*zip(found, rows, strict=True), ("mean", means)]:
        lines.add_row(name, *(f"{100 * number:.2f}" for number in row))
    console().print(lines)
