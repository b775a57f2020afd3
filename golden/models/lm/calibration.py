"""Text of the user's to calibrate a model on: windows of tokens, from a text or from numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from golden.base.array_file import read_archive
from golden.base.errors import InputError
from golden.models.lm.tokens import Tokens

LEAST_TOKENS = 64  # with fewer, codebooks are those of single numbers


def tokens_of_text(path: Path, tokenizer: Tokenizer) -> Tokens:
    """Return the tokens of a text file, as the tokenizer gives them for one text.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text in UTF-8: {error}") from error
    tokenizer.no_truncation()  # some are kept with a limit, for training
    tokenizer.no_padding()
    return np.array(tokenizer.encode(text).ids, np.int64)


def tokens_of_file(path: Path) -> Tokens:
    """Return the tokens of a file of numbers: (T,), or (W, T) for windows.

    Parameters
    ----------
    path : Path
        ``.json``, a list of numbers or of lists of as many each; or ``.npz``, with one array.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else.
    """
    found: Any
    if path.suffix == ".json":
        try:
            found = np.array(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"{path} cannot be read as JSON of tokens: {error}") from error
    else:
        arrays = list(read_archive(path).values())
        if len(arrays) != 1:
            raise InputError(f"{path} must hold one array, of tokens; it holds {len(arrays)}")
        found = arrays[0]
    if found.dtype.kind not in "iu" or found.ndim not in (1, 2):
        raise InputError(
            f"{path} must hold whole numbers, tokens (T,) or windows of them (W, T); it holds"
            f" {found.dtype} of shape {found.shape}"
        )
    return found.astype(np.int64)


def windows_of(
    tokens: Tokens, *, vocabulary: int, context: int, count: int, seed: int, source: Path
) -> Tokens:
    """Return up to ``count`` windows, drawn at random.

    A row of tokens is cut into windows as long as the context, or into one if it is shorter; what
    is left at its end is left out.

    Parameters
    ----------
    tokens : (T,) or (W, T) int64
    vocabulary, context : int
        Of the model.
    count, seed : int
    source : Path
        What errors name.

    Raises
    ------
    InputError
        If there are too few tokens, or one that the model does not know, or windows are longer
        than the context.
    """
    if tokens.size < LEAST_TOKENS:
        raise InputError(
            f"{source} has {tokens.size} tokens; calibration needs {LEAST_TOKENS} at least, and"
            " some thousands to be good: give a longer text"
        )
    low, high = int(tokens.min()), int(tokens.max())
    if low < 0 or high >= vocabulary:
        raise InputError(
            f"{source} has token {low if low < 0 else high}; the model knows 0 to {vocabulary - 1}"
        )
    if tokens.ndim == 1:
        length = min(context, len(tokens))
        tokens = tokens[: len(tokens) // length * length].reshape(-1, length)
    if tokens.shape[1] < 2:
        raise InputError(f"windows of {source} must have two tokens at least")
    if tokens.shape[1] > context:
        raise InputError(
            f"windows of {source} have {tokens.shape[1]} tokens; the context is {context}: cut them"
            " shorter, or give one row of tokens"
        )
    return tokens[np.random.default_rng(seed).permutation(len(tokens))[:count]]
