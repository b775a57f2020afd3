"""The shape of a sentence encoder of BERT's kind, from the ``config.json`` of its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from golden.base.errors import InputError
from golden.models.lm.config_file import CONFIG_FILE, read_json, refused

BERT = "bert"
LINEARS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
# A folder's words for a model's sizes, in the order of those of :class:`BertConfig`.
KEYS = {
    "vocabulary": "vocab_size",
    "hidden": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "inner": "intermediate_size",
    "context": "max_position_embeddings",
    "kinds": "type_vocab_size",
}
MOST = 10**7
EPSILON = "layer_norm_eps"
EPSILONS = (1e-15, 0.1)
# What else a key may say; the first is what it says where it is left out.
ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "architectures": (["BertModel"],),
    "hidden_act": ("gelu",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False, None),
    "add_cross_attention": (False, None),
    "quantization_config": (None,),
}


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes, those of MiniLM if nothing else is said.

    Parameters
    ----------
    vocabulary, hidden, layers, heads, inner : int
    context : int
        Tokens of a text at most.
    kinds : int
        Of tokens, of which there is but the first here.
    norm_epsilon : float
    """

    vocabulary: int = 30522
    hidden: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    context: int = 512
    kinds: int = 2
    norm_epsilon: float = 1e-12


MINILM = BertConfig()


def linear_layers(layers: int = MINILM.layers) -> list[str]:
    """Return the names of the linear layers, in the order in which they run."""
    return [f"encoder.layer.{i}.{name}" for i in range(layers) for name in LINEARS]


def tensor_shapes(config: BertConfig) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of all the tensors that the forward pass reads."""
    hidden, inner = config.hidden, config.inner
    rows = {"word": config.vocabulary, "position": config.context, "token_type": config.kinds}
    shapes: dict[str, tuple[int, ...]] = {
        f"embeddings.{name}_embeddings.weight": (count, hidden) for name, count in rows.items()
    }
    norms = ["embeddings"]
    for i in range(config.layers):
        layer = f"encoder.layer.{i}"
        norms += [f"{layer}.attention.output", f"{layer}.output"]
        for name in LINEARS:
            outputs = inner if name == "intermediate.dense" else hidden
            inputs = inner if name == "output.dense" else hidden
            shapes[f"{layer}.{name}.weight"] = (outputs, inputs)
            shapes[f"{layer}.{name}.bias"] = (outputs,)
    for name in norms:
        shapes |= {f"{name}.LayerNorm.{kind}": (hidden,) for kind in ("weight", "bias")}
    return shapes


def is_bert(folder: Path) -> bool:
    """Return whether a folder says that its model is of BERT's kind."""
    path = folder / CONFIG_FILE
    try:
        return path.is_file() and read_json(path).get("model_type") == BERT
    except InputError:
        return False


def read_bert_config(folder: Path) -> BertConfig:
    """Return the shape of the model in a folder that :func:`is_bert` knows.

    Raises
    ------
    InputError
        If a key is missing or says what is not done here.
    """
    path = folder / CONFIG_FILE
    try:
        return _config(read_json(path))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _config(found: Mapping[str, Any]) -> BertConfig:
    for key, allowed in ALLOWED.items():
        if found.get(key, allowed[0]) not in allowed:
            raise refused(key, found[key], allowed)
    usual = {"type_vocab_size": MINILM.kinds}
    sizes: dict[str, Any] = {}
    for name, key in KEYS.items():
        if key not in found and key not in usual:
            raise InputError(f"{key} is missing")
        sizes[name] = value = found.get(key, usual.get(key))
        if type(value) is not int or not 1 <= value <= MOST:
            raise refused(key, value, [f"a whole number from 1 to {MOST}"])
    if sizes["hidden"] % sizes["heads"]:
        raise refused(KEYS["heads"], sizes["heads"], [f"a divisor of {sizes['hidden']}"])
    epsilon = found.get(EPSILON, MINILM.norm_epsilon)
    low, high = EPSILONS
    if type(epsilon) not in (int, float) or not low <= epsilon <= high:
        raise refused(EPSILON, epsilon, [f"a number from {low} to {high}"])
    return replace(MINILM, **sizes, norm_epsilon=float(epsilon))
