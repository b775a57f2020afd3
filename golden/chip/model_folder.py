"""A model folder of LLaMA's kind becomes a decoder for a chip."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.chip.decoder import Decoder
from golden.chip.fit import fit_decoder, shape_of
from golden.chip.limits import require_fit
from golden.chip.shape import ChipShape
from golden.chip.windows import ChipModel
from golden.exact.spec import GRID_BITS
from golden.models.lm.calibration import tokens_of_file, tokens_of_text, windows_of
from golden.models.lm.config import Config
from golden.models.lm.config_file import KEYS, read_config
from golden.models.lm.model import LanguageModel
from golden.models.lm.perplexity import losses, perplexity
from golden.models.lm.tokens import TOKENIZER, Tokens, load_tokenizer
from golden.quantise.quantize import LEVEL_BITS

MEASURED = 2  # windows
BITS = (*LEVEL_BITS, GRID_BITS)


@dataclass(frozen=True, kw_only=True)
class FolderOptions:
    """How a folder is quantised.

    Parameters
    ----------
    text, tokens : Path, optional
        What calibrates it: a text, for the folder's tokenizer, or tokens; one of them.
    windows : int
        How many windows of it at most.
    context : int, optional
        Tokens that there is to be room for; as many as the model can have, if nothing is said.
    bits_a : int
        Of activations.
    seed : int
    """

    text: Path | None = None
    tokens: Path | None = None
    windows: int = 64
    context: int | None = None
    bits_a: int = GRID_BITS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.bits_a not in BITS:
            raise InputError(f"an activation has 4, 5 or 8 bits, not {self.bits_a}")


class Quantised(NamedTuple):
    """A model in the chip's numbers, and how near it is.

    Parameters
    ----------
    decoder : Decoder
    perplexity, whole : float
        Of it, exactly as the chip computes, and of the folder's model in full precision: on
        :data:`MEASURED` of the windows that calibrated it.
    """

    decoder: Decoder
    perplexity: float
    whole: float


def quantise_folder(
    folder: Path,
    shape: ChipShape,
    options: FolderOptions,
    report: Callable[[str, float], object] = lambda name, share: None,
) -> Quantised:
    """Return the model of a folder in the chip's numbers.

    Raises
    ------
    InputError
        If it is no model of LLaMA's kind, does not fit the chip or is not whole, or there is
        nothing to calibrate it on; before anything long runs. If its numbers are too large.
    """
    quantiser = EvalOptions(
        bits_a=options.bits_a,
        seed=options.seed,
        on_grid=options.bits_a != GRID_BITS,
        calibration=options.windows,
    )
    config = read_config(folder, options.context)
    require_fit(shape_of(config), shape, KEYS)
    windows = _windows(folder, config, options)
    model = LanguageModel.load(folder, config)
    decoder = fit_decoder(model, quantiser, windows, report)
    report("measuring", 1)
    with np.errstate(invalid="ignore", over="ignore"):  # logits that are too large
        own, whole = (
            perplexity(losses(one, windows[:MEASURED])) for one in (ChipModel(decoder), model)
        )
    if not np.isfinite(own):
        raise InputError(f"logits of {folder} grow beyond FP16 on the calibration text")
    return Quantised(decoder, own, whole)


def _windows(folder: Path, config: Config, options: FolderOptions) -> Tokens:
    """Return what calibrates a model."""
    text, file, tokenizer = options.text, options.tokens, folder / TOKENIZER
    if text and file:
        raise InputError("a text and tokens to calibrate on are the same thing: give one of them")
    if file:
        tokens = tokens_of_file(file)
    elif text and tokenizer.is_file():
        tokens = tokens_of_text(text, load_tokenizer(tokenizer))
    elif text:
        raise InputError(
            f"{folder} has no {TOKENIZER} to make tokens of {text} with: give tokens, as .json or"
            " .npz, with --calibration-ids"
        )
    else:
        raise InputError(
            "quantising needs text such as the model is for, some thousands of tokens: give a text"
            f" file with --calibration (for {folder}/{TOKENIZER}), or tokens with --calibration-ids"
        )
    return windows_of(
        tokens,
        vocabulary=config.vocabulary,
        context=config.context,
        count=options.windows,
        seed=options.seed,
        source=file or text or folder,
    )
