"""Byte-level BPE tokens of the corpus."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from golden.base.errors import InputError
from golden.models.lm.config import CONFIG

Tokens = npt.NDArray[np.int64]

TOKENIZER = "tokenizer.json"  # in a model's folder
TOKENIZER_FILE = Path(__file__).with_name(TOKENIZER)
END = "<|end|>"  # between documents


def train_tokenizer(texts: Iterable[str], vocabulary: int = CONFIG.vocabulary) -> Tokenizer:
    """Return a byte-level BPE tokenizer, its merges learned from the texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path = TOKENIZER_FILE) -> Tokenizer:
    """Return the tokenizer that the checkpoint was trained with.

    Raises
    ------
    InputError
        If the file is missing or broken.
    """
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise InputError(f"{path} is no tokenizer file: {error}") from error


def text_of(tokenizer: Tokenizer | None) -> Callable[[list[int]], str]:
    """Return what makes text of tokens; without a tokenizer they are numbers."""
    if tokenizer:
        return tokenizer.decode
    return lambda tokens: " ".join(map(str, tokens))


def encode(tokenizer: Tokenizer, texts: list[str]) -> Tokens:
    """Return the tokens of all texts in a row, each with the end mark after it."""
    end = tokenizer.token_to_id(END)
    rows = [np.array([*found.ids, end]) for found in tokenizer.encode_batch(texts)]
    return np.concatenate(rows)


def windows(tokens: Tokens, context: int = CONFIG.context) -> Tokens:
    """Return the whole windows (W, context) of a row of tokens, one after the other."""
    count = len(tokens) // context
    if not count:
        raise InputError(f"there are {len(tokens)} tokens; a window needs {context}")
    return tokens[: count * context].reshape(count, context)
