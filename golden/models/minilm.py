"""The sentence encoder all-MiniLM-L6-v2 in NumPy: real layers, and the activations they see."""

import copy
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from golden.base.errors import InputError
from golden.base.tensor_file import TensorFile
from golden.base.tools import model_directory
from golden.models.bert_config import MINILM, BertConfig, linear_layers, tensor_shapes
from golden.models.model import require_layers
from golden.models.operations import EXACT, Operations, exact_softmax
from golden.models.text import calibration_texts, evaluation_texts, texts_from_file
from golden.quantise.methods.layer import Array, Linear

# Characters of a text that are looked at: far more than so many tokens have, and few enough for a
# text of any length to be read at once.
MAX_CHARACTERS = 1 << 16
CALIBRATION_TEXTS = 32  # about 2000 tokens


class MiniLM:
    """The encoder: post-norm transformer layers; MiniLM's, or others of BERT's kind.

    Parameters
    ----------
    directory : Path, optional
        Holds the tensors and ``tokenizer.json``; by default where the installed package keeps
        those of MiniLM.
    config : BertConfig
        Sizes.

    Raises
    ------
    InputError
        If a file is missing or broken, or a tensor has another shape.
    """

    def __init__(self, directory: Path | None = None, config: BertConfig = MINILM) -> None:
        directory = directory or model_directory()
        self.config = config
        weights = TensorFile(directory)
        for name, shape in tensor_shapes(config).items():
            if name in weights.names and weights.shape(name) != shape:
                raise InputError(
                    f"tensor {name!r} of {directory} has shape {weights.shape(name)};"
                    f" expected {shape}"
                )
        self._tensors = {name: weights.tensor(name) for name in tensor_shapes(config)}
        tokenizer = directory / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(tokenizer))
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"{tokenizer} is no tokenizer file: {error}") from error
        self.linears: Mapping[str, Linear] = {}
        self.operations: Operations = EXACT
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(config.context)

    def tokens(self, text: str) -> list[int]:
        """Return the token numbers of a text, between [CLS] and [SEP]; at most a context of them.

        Raises
        ------
        InputError
            If the text holds no token of its own.
        """
        numbers = self._tokenizer.encode(text[:MAX_CHARACTERS]).ids
        if len(numbers) <= 2:
            raise InputError(f"the text {text[:40]!r} has no token; expected at least one word")
        return numbers

    @property
    def layer_names(self) -> list[str]:
        """Names of the linear layers, in the order in which they run."""
        return linear_layers(self.config.layers)

    def weights(self, name: str) -> tuple[Array, Array]:
        """Return a linear layer's weights (K, N) and bias (N,)."""
        require_layers("MiniLM", self.layer_names, [name])
        return self._tensors[f"{name}.weight"].T, self._tensors[f"{name}.bias"]

    def tensor(self, name: str) -> Array:
        """Return a tensor of the model's file."""
        return self._tensors[name]

    def with_tensors(self, tensors: Mapping[str, Array]) -> Self:
        """Return the model with some tensors replaced."""
        other = copy.copy(self)
        other._tensors = {**self._tensors, **tensors}
        return other

    def with_linears(self, linears: Mapping[str, Linear]) -> Self:
        """Return the model with the named linear layers replaced: (T, K) to (T, N)."""
        require_layers("MiniLM", self.layer_names, linears)
        other = copy.copy(self)
        other.linears = {**self.linears, **linears}
        return other

    def with_operations(self, operations: Operations) -> Self:
        """Return the model with softmax and GELU replaced; its norms stay."""
        other = copy.copy(self)
        other.operations = operations
        return other

    def activations(self, names: Collection[str], text: Sequence[str]) -> dict[str, Array]:
        """Return the inputs (T, K) of the named layers: all tokens of all texts, in order.

        [CLS] and [SEP] are tokens like the others. Each text runs alone.
        """
        require_layers("MiniLM", self.layer_names, names)
        seen: dict[str, list[Array]] = {name: [] for name in names}
        # What comes after the last of them need not run.
        blocks = 1 + max((int(name.split(".")[2]) for name in names), default=-1)
        for one in text:
            self._hidden([self.tokens(one)], seen, blocks)
        return {name: np.concatenate(rows) for name, rows in seen.items()}

    def embed(self, texts: Sequence[str]) -> Array:
        """Return a unit vector (384,) per text: the mean over its tokens, normalised.

        Each text runs alone, so that its vector does not depend on the others.
        """
        return np.stack([self.embed_tokens(self.tokens(text)) for text in texts])

    def embed_tokens(self, tokens: Sequence[int]) -> Array:
        """Return the unit vector (384,) of a text's tokens."""
        return pool(self._hidden([tokens], {}))[0]

    def run(self, text: Sequence[str]) -> list[Array]:
        """Return the last hidden states (T, 384) of each text.

        Linear layers take the tokens of all texts together; only attention keeps them apart.
        """
        return self._hidden([self.tokens(one) for one in text], {})

    def calibration_text(self, seed: int, without: Sequence[str]) -> list[str]:
        """Return passages to fit codebooks on, about 2000 tokens, none of them in ``without``."""
        apart = set(without)
        return [text for text in calibration_texts(seed, CALIBRATION_TEXTS) if text not in apart]

    def text_to_run(
        self, seed: int, tokens: int, file: Path | None, *, tuning: bool = False
    ) -> list[str]:
        """Return the first texts, of a file or held out, that have so many tokens together.

        With ``tuning`` they are of those on which methods are chosen.

        Raises
        ------
        InputError
            If there are fewer, or the file is no text.
        """
        texts = texts_from_file(file) if file else evaluation_texts(seed, tuning=tuning)
        total = 0
        for i, text in enumerate(texts):
            total += len(self.tokens(text))
            if total >= tokens:
                return texts[: i + 1]
        raise InputError(
            f"{file or 'the text'} has {total} tokens; asked for {tokens}: give a longer text or"
            " fewer tokens"
        )

    def _hidden(
        self,
        rows: Sequence[Sequence[int]],
        seen: Mapping[str, list[Array]],
        blocks: int | None = None,
    ) -> list[Array]:
        """Return the last hidden states of rows of tokens; append layers' inputs to their lists."""

        def linear(name: str, x: Array) -> Array:
            if name in seen:
                seen[name].append(x)
            return self.linears[name](x) if name in self.linears else self.linear(name, x)

        ends = np.cumsum([len(tokens) for tokens in rows])[:-1]
        x = self._norm("embeddings", np.concatenate([self._embedding(row) for row in rows]))
        for i in range(self.config.layers if blocks is None else blocks):
            layer = f"encoder.layer.{i}"
            triple = [linear(f"{layer}.attention.self.{n}", x) for n in ("query", "key", "value")]
            parts = zip(*(np.split(part, ends) for part in triple), strict=True)
            softmax = partial(self.operations.softmax, layer)
            heads = partial(self.operations.heads, layer)
            count = self.config.heads
            mixed = [attention(*part, softmax, heads, count) for part in parts]
            mixed = linear(f"{layer}.attention.output.dense", np.concatenate(mixed))
            x = self._norm(f"{layer}.attention.output", x + mixed)
            inner = linear(f"{layer}.intermediate.dense", x)
            inner = self.operations.activation(layer, inner, gelu(inner))
            x = self._norm(f"{layer}.output", x + linear(f"{layer}.output.dense", inner))
        return np.split(x, ends)

    def linear(self, name: str, x: Array) -> Array:
        """Return what a linear layer makes of (T, K), in float32."""
        return x @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]

    def _embedding(self, tokens: Sequence[int]) -> Array:
        t = self._tensors
        x = t["embeddings.word_embeddings.weight"][list(tokens)]
        x = x + t["embeddings.position_embeddings.weight"][: len(tokens)]
        return x + t["embeddings.token_type_embeddings.weight"][0]

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.config.norm_epsilon)
        gain, shift = (self._tensors[f"{name}.LayerNorm.{n}"] for n in ("weight", "bias"))
        return centred / spread * gain + shift


def pool(hidden: Sequence[Array]) -> Array:
    """Return a unit vector (384,) per text: the mean over its tokens, normalised."""
    rows = np.stack([x.mean(axis=0) for x in hidden])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def attention(
    query: Array,
    key: Array,
    value: Array,
    softmax: Callable[[Array], Array] = exact_softmax,
    heads: Callable[[Array, Array, Array], tuple[Array, Array, Array]] | None = None,
    count: int = MINILM.heads,
) -> Array:
    """Return softmax(Q K^T / sqrt(d)) V, head by head, of which there are ``count``."""
    q, k, v = (x.reshape(len(x), count, -1).transpose(1, 0, 2) for x in (query, key, value))
    q, k, v = heads(q, k, v) if heads else (q, k, v)
    scores = q @ k.transpose(0, 2, 1) / np.float32(math.sqrt(q.shape[2]))
    mixed = softmax(scores) @ v
    return mixed.transpose(1, 0, 2).reshape(query.shape)


def gelu(x: Array) -> Array:
    """Return x * Phi(x), with the exact normal distribution and not its tanh likeness."""
    return (x * 0.5 * (1 + erf(x / math.sqrt(2)))).astype(np.float32)


_STEP = 1 / 256
_NODES = np.arange(-6, 6 + _STEP, _STEP)  # beyond 6, erf is 1 to 16 digits
_ERF = np.array([math.erf(node) for node in _NODES])
_SLOPE = 2 / math.sqrt(math.pi) * np.exp(-(_NODES**2))


def erf(x: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the error function to about 11 digits; NumPy has none.

    Taylor's series to the third order around the nearest of a table of nodes.
    """
    x = np.clip(x.astype(np.float64), -6, 6)
    place = np.rint((x + 6) / _STEP).astype(np.int64)
    node = _NODES[place]
    h = x - node
    series = 1 - h * node + h * h * (2 * node * node - 1) / 3
    return _ERF[place] + _SLOPE[place] * h * series
