"""The model in a folder a layer at a time, so that no more of it is in memory.

Folders of LLaMA's kind and of BERT's, as they are published: ``config.json`` and safetensors, in
parts or not, of any type of floating-point numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from golden.base.errors import InputError
from golden.base.tensor_file import TensorFile
from golden.models.bert_config import LINEARS as BERT_LINEARS
from golden.models.bert_config import is_bert, read_bert_config
from golden.models.bert_config import tensor_shapes as bert_shapes
from golden.models.lm.checkpoint import EMBEDDING, tensor_shapes
from golden.models.lm.config import LINEARS
from golden.models.lm.config_file import read_config
from golden.models.lm.model import LanguageModel
from golden.models.lm.tokens import Tokens
from golden.models.minilm import attention, gelu
from golden.quantise.methods.layer import Array
from golden.quantise.quantize import require_finite

Seen = dict[str, list[Array]]  # inputs of linear layers, a row of text after the other


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
    return BertModel(folder) if is_bert(folder) else LlamaModel(folder)


class _Tensors:
    """The tensors of a folder; checked when they are read."""

    def __init__(self, folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self.file, self.shapes = TensorFile(folder), shapes

    def read(self, name: str) -> Array:
        found = self.file.tensor(name)
        if found.shape != self.shapes[name]:
            raise InputError(
                f"tensor {name!r} of {self.file.path} has shape {found.shape}; expected"
                f" {self.shapes[name]}"
            )
        require_finite(name, found)
        return found

    def linear(self, name: str) -> tuple[Array, Array]:
        weight = self.read(f"{name}.weight")
        biased = f"{name}.bias" in self.shapes
        return weight.T, self.read(f"{name}.bias") if biased else np.zeros(len(weight), np.float32)


class LlamaModel:
    """A decoder of LLaMA's kind; see :class:`golden.models.lm.model.LanguageModel`."""

    def __init__(self, folder: Path) -> None:
        self.config = read_config(folder)
        self.layers, self.vocabulary = self.config.layers, self.config.vocabulary
        self.context = self.config.context
        self._tensors = _Tensors(folder, tensor_shapes(self.config))
        self.weights = self._tensors.linear

    def linears(self, layer: int) -> list[str]:
        """Return the names of a layer's linear layers."""
        return [f"model.layers.{layer}.{name}" for name in LINEARS]

    def embedded(self, rows: Sequence[Tokens]) -> list[Array]:
        """Return the hidden states (T, hidden) of rows of tokens before the first layer."""
        table = self._tensors.read(EMBEDDING)
        return [table[row] for row in rows]

    def after(self, layer: int, hidden: Sequence[Array], seen: Seen) -> list[Array]:
        """Return hidden states behind a layer; append inputs of its linear layers."""
        start = f"model.layers.{layer}."
        names = [name for name in self._tensors.shapes if name.startswith(start)]
        tensors = {name: self._tensors.read(name) for name in names}
        model = LanguageModel(tensors, self.config)
        return [model.layer(layer, x, len(x), seen) for x in hidden]


class BertModel:
    """An encoder of BERT's kind: norms behind what they norm, learned positions, GELU."""

    def __init__(self, folder: Path) -> None:
        self.config = read_bert_config(folder)
        self.layers, self.vocabulary = self.config.layers, self.config.vocabulary
        self.context = self.config.context
        self._tensors = _Tensors(folder, bert_shapes(self.config))
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
            mixed = attention(q, k, v, count=self.config.heads)
            mixed = linear(f"{layer}.attention.output.dense", mixed)
            x = self._norm(f"{layer}.attention.output", x + mixed)
            inner = gelu(linear(f"{layer}.intermediate.dense", x))
            yield self._norm(f"{layer}.output", x + linear(f"{layer}.output.dense", inner))

    def _norm(self, name: str, x: Array) -> Array:
        gain, shift = (self._tensors.read(f"{name}.LayerNorm.{n}") for n in ("weight", "bias"))
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt(
            (centred**2).mean(axis=1, keepdims=True) + np.float32(self.config.norm_epsilon)
        )
        return centred / spread * gain + shift
