"""The model in a folder a layer at a time, so that no more of it is in memory.

Folders of LLaMA's kind and of BERT's, as they are published: ``config.json`` and safetensors, in
parts or not, of any type of floating-point numbers.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from golden.base.errors import InputError
from golden.base.tensor_file import TensorFile
from golden.models.lm.checkpoint import EMBEDDING, tensor_shapes
from golden.models.lm.config import LINEARS
from golden.models.lm.config_file import CONFIG_FILE, read_config
from golden.models.lm.model import LanguageModel
from golden.models.lm.tokens import Tokens
from golden.models.minilm import LINEARS as BERT_LINEARS
from golden.models.minilm import attention, gelu
from golden.quantise.methods.layer import Array
from golden.quantise.quantize import require_finite

Seen = dict[str, list[Array]]  # inputs of linear layers, a row of text after the other
BERT, PREFIX = "bert", "bert."  # what tensors of a model with a head of its own begin with
# Keys of a BERT's ``config.json``, and the least that they may be.
BERT_SIZES = {
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "hidden_size": 1,
    "vocab_size": 1,
    "max_position_embeddings": 2,
}
# What else one may say; the first is what it says where it is left out.
BERT_ALLOWED = {
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
}


class LayerwiseModel(Protocol):
    """A model of which one layer is read at a time."""

    layers: int
    vocabulary: int
    context: int

    def linears(self, layer: int) -> list[str]:
        """Return the names of a layer's linear layers."""
        ...

    def embedded(self, rows: Sequence[Tokens]) -> list[Array]:
        """Return the hidden states (T, hidden) of rows of tokens before the first layer."""
        ...

    def after(self, layer: int, hidden: Sequence[Array], seen: Seen) -> list[Array]:
        """Return hidden states behind a layer; append inputs of its linear layers."""
        ...

    def weights(self, name: str) -> tuple[Array, Array]:
        """Return a linear layer's weights (K, N) and bias (N,)."""
        ...


def open_model(folder: Path) -> LayerwiseModel:
    """Return the model of a folder.

    Raises
    ------
    InputError
        If it is of no kind that is known, or a file is missing or broken.
    """
    path = folder / CONFIG_FILE
    try:
        kind = json.loads(path.read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as a model's configuration: {error}") from None
    return BertModel(folder) if kind == BERT else LlamaModel(folder)


class _Tensors:
    """The tensors of a folder, by their names behind a prefix; checked when they are read."""

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self.file = TensorFile(folder)
        self.prefix = prefix if any(n.startswith(prefix) for n in self.file.names) else ""

    def read(self, name: str, shape: tuple[int, ...] | None = None) -> Array:
        whole = self.prefix + name
        found = self.file.tensor(whole)
        if shape is not None and found.shape != shape:
            raise InputError(
                f"tensor {whole!r} of {self.file.path} has shape {found.shape}; expected {shape}"
            )
        require_finite(whole, found)
        return found

    def linear(self, name: str) -> tuple[Array, Array]:
        weight = self.read(f"{name}.weight")
        biased = self.prefix + f"{name}.bias" in self.file.names
        bias = self.read(f"{name}.bias") if biased else np.zeros(len(weight), np.float32)
        return weight.T, bias


class LlamaModel:
    """A decoder of LLaMA's kind; see :class:`golden.models.lm.model.LanguageModel`."""

    def __init__(self, folder: Path) -> None:
        self.config = read_config(folder)
        self.layers, self.vocabulary = self.config.layers, self.config.vocabulary
        self.context = self.config.context
        self._tensors, self._shapes = _Tensors(folder), tensor_shapes(self.config)
        self.weights = self._tensors.linear

    def linears(self, layer: int) -> list[str]:
        """Return the names of a layer's linear layers."""
        return [f"model.layers.{layer}.{name}" for name in LINEARS]

    def embedded(self, rows: Sequence[Tokens]) -> list[Array]:
        """Return the hidden states (T, hidden) of rows of tokens before the first layer."""
        table = self._tensors.read(EMBEDDING, self._shapes[EMBEDDING])
        return [table[row] for row in rows]

    def after(self, layer: int, hidden: Sequence[Array], seen: Seen) -> list[Array]:
        """Return hidden states behind a layer; append inputs of its linear layers."""
        start = f"model.layers.{layer}."
        shapes = {n: shape for n, shape in self._shapes.items() if n.startswith(start)}
        tensors = {name: self._tensors.read(name, shape) for name, shape in shapes.items()}
        model = LanguageModel(tensors, self.config)
        return [model.layer(layer, x, len(x), seen) for x in hidden]


class BertModel:
    """An encoder of BERT's kind: norms behind what they norm, learned positions, GELU."""

    def __init__(self, folder: Path) -> None:
        path = folder / CONFIG_FILE
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for key, least in BERT_SIZES.items():
            if type(config.get(key)) is not int or config[key] < least:
                raise InputError(f"{path}: {key} must be a whole number from {least} on")
        for key, allowed in BERT_ALLOWED.items():
            if config.get(key, allowed[0]) not in allowed:
                raise InputError(f"{path}: {key} is {config[key]!r}; allowed is {allowed[0]!r}")
        self.heads, self.hidden = config["num_attention_heads"], config["hidden_size"]
        if self.hidden % self.heads:
            raise InputError(f"{path}: hidden_size must be a multiple of num_attention_heads")
        self.layers, self.vocabulary = config["num_hidden_layers"], config["vocab_size"]
        self.context = config["max_position_embeddings"]
        self.epsilon = float(config.get("layer_norm_eps", 1e-12))
        self._tensors = _Tensors(folder, PREFIX)
        self.weights = self._tensors.linear

    def linears(self, layer: int) -> list[str]:
        """Return the names of a layer's linear layers."""
        return [f"encoder.layer.{layer}.{name}" for name in BERT_LINEARS]

    def embedded(self, rows: Sequence[Tokens]) -> list[Array]:
        """Return the hidden states (T, hidden) of rows of tokens before the first layer."""
        read = self._tensors.read
        words, places, kinds = (
            read(f"embeddings.{n}_embeddings.weight") for n in ("word", "position", "token_type")
        )
        return [
            self._norm("embeddings", words[row] + places[: len(row)] + kinds[0]) for row in rows
        ]

    def after(self, layer: int, hidden: Sequence[Array], seen: Seen) -> list[Array]:
        """Return hidden states behind a layer; append inputs of its linear layers."""
        return list(self._after(f"encoder.layer.{layer}", hidden, seen))

    def _after(self, layer: str, hidden: Sequence[Array], seen: Seen) -> Iterator[Array]:
        known = {f"{layer}.{name}": self.weights(f"{layer}.{name}") for name in BERT_LINEARS}

        def linear(name: str, x: Array) -> Array:
            weight, bias = known[name]
            if name in seen:
                seen[name].append(x)
            return x @ weight + bias

        for x in hidden:
            q, k, v = (linear(f"{layer}.attention.self.{n}", x) for n in ("query", "key", "value"))
            mixed = attention(q, k, v, count=self.heads)
            mixed = linear(f"{layer}.attention.output.dense", mixed)
            x = self._norm(f"{layer}.attention.output", x + mixed)
            inner = gelu(linear(f"{layer}.intermediate.dense", x))
            yield self._norm(f"{layer}.output", x + linear(f"{layer}.output.dense", inner))

    def _norm(self, name: str, x: Array) -> Array:
        gain, shift = (
            self._tensors.read(f"{name}.LayerNorm.{n}", (self.hidden,)) for n in ("weight", "bias")
        )
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(self.epsilon))
        return centred / spread * gain + shift
