"""Shapes of language models: by name, or from the config.json that Hugging Face keeps of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.base.errors import InputError
from golden.base.names import lookup

PLAIN_KINDS = ("opt", "bert")  # whose feed-forward part has two matrices, not three
ENCODERS = ("bert",)
LARGEST = 1 << 20  # what no size of a model exceeds, a vocabulary included


@dataclass(frozen=True, kw_only=True)
class Linear:
    """Linear layers of one shape that read the same vector.

    Parameters
    ----------
    name : str
    inputs, outputs : int
    count : int
        How many there are of it in the model.
    head : bool
        Whether it is the output head.
    """

    name: str
    inputs: int
    outputs: int
    count: int
    head: bool = False

    @property
    def weights(self) -> int:
        """Weights of all of them."""
        return self.inputs * self.outputs * self.count


@dataclass(frozen=True, kw_only=True)
class ModelShape:
    """Sizes of a transformer.

    Parameters
    ----------
    name : str
    hidden, layers, inner, vocabulary : int
        Width of the residual stream, layers, width of the feed-forward part, tokens there are.
    heads, kv_heads, head_width : int
        Heads of queries; those of keys and values; numbers of each.
    gated : bool
        Whether the feed-forward part has a gate, and so three matrices.
    encoder : bool
        Whether there is no output head, and no cache.
    """

    name: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_width: int
    inner: int
    vocabulary: int
    gated: bool = True
    encoder: bool = False

    def linears(self) -> Iterator[Linear]:
        """Yield the linear layers, in the order in which they run."""
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        hidden, inner, n = self.hidden, self.inner, self.layers
        yield Linear(name="query", inputs=hidden, outputs=queries, count=n)
        yield Linear(name="key", inputs=hidden, outputs=keys, count=n)
        yield Linear(name="value", inputs=hidden, outputs=keys, count=n)
        yield Linear(name="output", inputs=queries, outputs=hidden, count=n)
        for name in ("gate", "up") if self.gated else ("up",):
            yield Linear(name=name, inputs=hidden, outputs=inner, count=n)
        yield Linear(name="down", inputs=inner, outputs=hidden, count=n)
        if not self.encoder:
            yield Linear(name="head", inputs=hidden, outputs=self.vocabulary, count=1, head=True)

    @property
    def weights(self) -> int:
        """Weights of all linear layers."""
        return sum(linear.weights for linear in self.linears())

    def cached(self, context: int) -> int:
        """Return the numbers of keys and values that so many tokens leave."""
        return 2 * self.layers * self.kv_heads * self.head_width * context


def _shape(name: str, *sizes: int, **others: bool) -> ModelShape:
    hidden, layers, heads, kv_heads, head_width, inner, vocabulary = sizes
    return ModelShape(
        name=name,
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_width=head_width,
        inner=inner,
        vocabulary=vocabulary,
        **others,
    )


_LLAMA = {
    "7b": (4096, 32, 32, 32, 128, 11008, 32000),
    "13b": (5120, 40, 40, 40, 128, 13824, 32000),
    "30b": (6656, 60, 52, 52, 128, 17920, 32000),
}
# Sizes are those of the models' own config.json.
MODELS = {
    shape.name: shape
    for shape in (
        *(_shape(f"llama-{size}", *sizes) for size, sizes in _LLAMA.items()),
        *(_shape(f"llama-2-{size}", *_LLAMA[size]) for size in ("7b", "13b")),
        _shape("llama-2-70b", 8192, 80, 64, 8, 128, 28672, 32000),
        _shape("llama-3-8b", 4096, 32, 32, 8, 128, 14336, 128256),
        _shape("mistral-7b", 4096, 32, 32, 8, 128, 14336, 32000),
        _shape("opt-6.7b", 4096, 32, 32, 32, 128, 16384, 50272, gated=False),
        _shape("opt-13b", 5120, 40, 40, 40, 128, 20480, 50272, gated=False),
        _shape("opt-30b", 7168, 48, 56, 56, 128, 28672, 50272, gated=False),
        _shape("qwen2.5-7b", 3584, 28, 28, 4, 128, 18944, 152064),
        _shape("minilm", 384, 6, 12, 12, 32, 1536, 30522, gated=False, encoder=True),
        _shape("lm", 256, 4, 4, 4, 64, 768, 2048),
    )
}


def model_shape(named: str) -> ModelShape:
    """Return the shape of a model in :data:`MODELS`, or of a config.json.

    Raises
    ------
    InputError
        If there is no such model or file, or the file lacks a size.
    """
    path = Path(named)
    if path.suffix == ".json" or path.is_file():
        return _from_config(path)
    return lookup("model", named, MODELS, "kllm cycles --list")


def _from_config(path: Path) -> ModelShape:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
    if not isinstance(config, dict):
        raise InputError(f"{path} is no config.json of a model: it holds no object")

    def size(*names: str, default: int | None = None) -> int:
        value: Any = next((config[name] for name in names if config.get(name)), default)
        if type(value) is not int or not 0 < value <= LARGEST:
            raise InputError(
                f"{path}: {' or '.join(names)} must be an integer from 1 to {LARGEST}, got {value}"
            )
        return value

    kind = str(config.get("model_type", ""))
    hidden, heads = size("hidden_size", "n_embd"), size("num_attention_heads", "n_head")
    if "head_dim" not in config and hidden % heads:
        raise InputError(f"{path}: hidden_size {hidden} is no multiple of {heads} heads")
    kv_heads = size("num_key_value_heads", default=heads)
    if heads % kv_heads:
        raise InputError(f"{path}: {heads} heads are no multiple of {kv_heads} of keys and values")
    return ModelShape(
        name=str(config.get("_name_or_path") or path.resolve().parent.name),
        hidden=hidden,
        layers=size("num_hidden_layers", "n_layer"),
        heads=heads,
        kv_heads=kv_heads,
        head_width=size("head_dim", default=hidden // heads),
        inner=size("intermediate_size", "ffn_dim", "n_inner", default=4 * hidden),
        vocabulary=size("vocab_size"),
        gated=kind not in PLAIN_KINDS,
        encoder=kind in ENCODERS,
    )
