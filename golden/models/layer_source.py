"""Where a layer comes from: MiniLM, or the user's own files."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from golden.base.errors import InputError
from golden.base.tensor_file import TensorFile
from golden.exact.fp16 import BitArray
from golden.exact.linear import QuantizedLinear
from golden.models.minilm import MiniLM, require_layer
from golden.models.text import calibration_texts, evaluation_texts, passages, texts_from_file
from golden.quantise.quantize import require_finite, to_fp16

Floats = npt.NDArray[np.floating]

CALIBRATION_TEXTS = 32  # about 2000 tokens
# What NumPy and zipfile raise on files that are broken, encrypted, newer than they are, or that
# claim to hold more than there is memory for. A header is Python, so even its tokens can be wrong.
BROKEN = (
    *(ValueError, EOFError, OSError, RuntimeError, MemoryError, AttributeError),
    *(BadZipFile, zlib.error, TokenError),
)


@dataclass(frozen=True, kw_only=True)
class LayerSource:
    """A linear layer in full precision and tokens for it. Calibration never sees ``x``.

    Parameters
    ----------
    name : str
        What it is called where it comes from.
    weight : (K, N) float
        Finite.
    bias : (N,) float
        Zeros where the layer has none.
    calibration : (T', K) float
        Tokens to fit codebooks on.
    x : (T, K) uint16
        Tokens to run, FP16 patterns, finite.
    layer : QuantizedLinear, optional
        The same layer as it was quantised before; by default it is yet to be.
    """

    name: str
    weight: Floats
    bias: Floats
    calibration: Floats
    x: BitArray
    layer: QuantizedLinear | None = None


def minilm_layer(
    name: str, tokens: int, text_file: Path | None = None, seed: int = 0
) -> LayerSource:
    """Return one layer as :func:`minilm_layers` does."""
    return next(minilm_layers([name], tokens, text_file, seed))


def minilm_layers(
    names: Sequence[str], tokens: int, text_file: Path | None = None, seed: int = 0
) -> Iterator[LayerSource]:
    """Yield layers of MiniLM, each with the activations that it sees in English text.

    Parameters
    ----------
    names : sequence of str
        Such as ``encoder.layer.0.attention.self.query``.
    tokens : int
        How many to run: the first of the text.
    text_file : Path, optional
        Text to run; by default passages of Python's documentation. Calibration always uses
        those, without the paragraphs that stand in the file too.
    seed : int
        Chooses the passages.

    Raises
    ------
    InputError
        If there is no such layer, or the text has too few tokens.
    """
    for name in names:
        require_layer(name)
    _require_tokens(tokens)
    model = MiniLM()
    if text_file:
        texts = texts_from_file(text_file)
    else:
        texts = evaluation_texts(seed, len(passages()) // 2)
    used = _first_texts(model, texts, tokens, str(text_file or "the text"))
    seen = model.activations(names, used)
    calibration = model.activations(
        names, [text for text in calibration_texts(seed, CALIBRATION_TEXTS) if text not in used]
    )
    for name in names:
        weight, bias = model.weights(name)
        x = to_fp16(f"activations of {name}", seen[name][:tokens])
        yield LayerSource(name=name, weight=weight, bias=bias, calibration=calibration[name], x=x)


def file_layer(weights_file: Path, tensor: str, activations_file: Path, tokens: int) -> LayerSource:
    """Return a layer from the user's files. The last ``tokens`` rows run, the others calibrate.

    Parameters
    ----------
    weights_file : Path
        safetensors.
    tensor : str
        The weight, (N, K) as torch keeps it, or (K, N); the activations decide, and where both
        would fit it is taken as (N, K). If it is called ``….weight`` and there is a
        ``….bias``, that is the bias.
    activations_file : Path
        ``.npy``, (T, K), of floating-point numbers.
    tokens : int
        How many to run; at least one more is needed to calibrate.

    Raises
    ------
    InputError
        If a file is missing, broken, of another type, or does not fit the other.
    """
    _require_tokens(tokens)
    activations = read_activations(activations_file)
    file = TensorFile(weights_file)
    weight = _as_inputs_by_outputs(tensor, file.tensor(tensor), activations)
    stem = tensor.removesuffix(".weight")
    has_bias = stem != tensor and f"{stem}.bias" in file.names
    bias = file.tensor(f"{stem}.bias") if has_bias else np.zeros(weight.shape[1], np.float32)
    if bias.shape != weight.shape[1:]:
        raise InputError(f"{stem}.bias has shape {bias.shape}; {tensor} needs ({weight.shape[1]},)")
    require_finite(tensor, weight)
    to_fp16(f"{stem}.bias", bias)
    x = to_fp16(str(activations_file), activations)
    if len(x) <= tokens:
        raise InputError(
            f"{activations_file} has {len(x)} tokens; asked to run {tokens} and at least one more "
            "is needed to calibrate: give more rows or run fewer"
        )
    return LayerSource(
        name=tensor, weight=weight, bias=bias, calibration=activations[:-tokens], x=x[-tokens:]
    )


def read_activations(path: Path) -> Floats:
    """Return the (T, K) floating-point numbers of a ``.npy`` file.

    Raises
    ------
    InputError
        If it is missing, truncated, pickled, or of another type or shape.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a .npy file of activations (T, K)")
    try:
        array = np.load(path, allow_pickle=False)  # a pickle could run any code
    except BROKEN as error:
        raise InputError(f"{path} is no whole .npy file of numbers: {error}") from error
    if not isinstance(array, np.ndarray):
        raise InputError(
            f"{path} is an archive of arrays; expected one array, as np.save writes it"
        )
    _require_tokens_array(str(path), array)
    return array


def named_layers(
    weights_file: Path, calibration_file: Path
) -> list[tuple[str, Floats, Floats, Floats]]:
    """Return name, weight (K, N), bias (N,) and tokens (T, K) of each layer with calibration.

    Parameters
    ----------
    weights_file : Path
        safetensors.
    calibration_file : Path
        ``.npz`` of tokens under the weights' names, with or without ``.weight``.

    Raises
    ------
    InputError
        If a file is missing, broken, of another type, or does not fit the other.
    """
    file, layers = TensorFile(weights_file), []
    for name, tokens in _read_archive(calibration_file).items():
        stem = name.removesuffix(".weight")
        tensor = stem if stem in file.names else f"{stem}.weight"
        weight = _as_inputs_by_outputs(tensor, file.tensor(tensor), tokens)
        bias = f"{stem}.bias"
        has_bias = tensor != stem and bias in file.names
        zeros = np.zeros(weight.shape[1], np.float32)
        layers.append((stem, weight, file.tensor(bias) if has_bias else zeros, tokens))
    return layers


def _read_archive(path: Path) -> dict[str, Floats]:
    """Return the arrays of an ``.npz`` file: at least one, all (T, K) of real numbers."""
    if not path.is_file():
        raise InputError(f"{path} is not a file; expected a .npz file of inputs by name")
    try:
        # A pickle could run any code.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except BROKEN as error:
        raise InputError(f"{path} is no whole .npz file of numbers: {error}") from error
    for name, array in arrays.items():
        _require_tokens_array(f"{name} of {path}", array)
    if not arrays:
        raise InputError(f"{path} holds no array; expected inputs (T, K) by the weights' names")
    return arrays


def _require_tokens_array(name: str, array: np.ndarray) -> None:
    """Raise InputError unless an array is (T, K) of floating-point numbers."""
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise InputError(
            f"{name} has dtype {array.dtype}; allowed are float16, float32 and float64"
        )
    if array.ndim != 2 or not array.size:
        raise InputError(f"{name} has shape {array.shape}; expected (T, K), both at least 1")


def _first_texts(model: MiniLM, texts: list[str], tokens: int, where: str) -> list[str]:
    """Return the first texts that have ``tokens`` tokens together."""
    total = 0
    for i, text in enumerate(texts):
        total += len(model.tokens(text))
        if total >= tokens:
            return texts[: i + 1]
    raise InputError(
        f"{where} has {total} tokens; asked for {tokens}: give a longer text or fewer tokens"
    )


def _as_inputs_by_outputs(name: str, weight: Floats, activations: Floats) -> Floats:
    inputs = activations.shape[1]
    if weight.ndim != 2 or not weight.size or inputs not in weight.shape:
        raise InputError(
            f"tensor {name!r} has shape {weight.shape}; expected (N, {inputs}) or ({inputs}, N), "
            f"as the activations have K = {inputs}"
        )
    return weight.T if weight.shape[1] == inputs else weight


def _require_tokens(tokens: int) -> None:
    if tokens < 1:
        raise InputError(f"the number of tokens must be at least 1, got {tokens}")
