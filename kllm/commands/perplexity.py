"""The command ``kllm perplexity``."""

from typing import Annotated

import typer

from kllm.options import DecoderFile, Json, Seed
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm perplexity --texts 8  -  half a minute

kllm perplexity --texts 128 --json chip.json  -  what the docs say, in some six minutes

python -m golden.chip --bits-a 4 && kllm perplexity --decoder decoder_a4.safetensors
"""


def command(
    texts: Annotated[int, typer.Option(help="Windows of held-out text to measure on.")] = 8,
    seed: Seed = 0,
    decoder: DecoderFile = None,
    json_file: Json = None,
) -> None:
    """Measure the perplexity of exactly what the chip computes, beside full precision.

    Everything counts: 4-bit weights and output head, activations of 8 bits or of as many as the
    decoder has, the cache of 4-bit keys and values, norms, softmax and gates as the chip rounds
    them. Bit for bit what `kllm generate` simulates, on text that is known.
    """
    from golden.base.console import console, working
    from golden.chip.decoder_file import read_decoder
    from golden.chip.evaluation import evaluate
    from golden.chip.models import DECODER

    require_json(json_file)
    ready = read_decoder(decoder or DECODER)
    with working() as say:
        found = evaluate(ready, seed, texts, lambda done, of: say("windows", done / of))

    def show() -> None:
        console().print(
            f"perplexity {found['perplexity']:.2f}, in full precision {found['fp32']:.2f}:"
            f" {found['increase']:.2f} ± {found['standard_error']:.2f} more"
            f" ({texts} windows, seed {seed})"
        )

    deliver(json_file, found, show)
