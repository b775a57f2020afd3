"""The language model in NumPy: the reference that perplexities are measured with."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from golden.base.errors import InputError
from golden.models.lm.checkpoint import EMBEDDING, HEAD, read_tensors
from golden.models.lm.config import CONFIG, Config, linear_layers
from golden.models.lm.corpus import calibration_windows, held_out_windows
from golden.models.lm.kv_cache import Cache, exact
from golden.models.lm.tokens import Tokens, encode, load_tokenizer
from golden.models.model import require_layers
from golden.models.operations import EXACT, Operations, exact_softmax
from golden.models.text import texts_from_file
from golden.quantise.methods.layer import Array, Linear

Rows = Sequence[Tokens] | Tokens  # of tokens; each up to a window long
CALIBRATION_WINDOWS = 8  # 2048 tokens
CHECKPOINT = Path(__file__).with_name("checkpoint.safetensors")


@dataclass(frozen=True)
class LanguageModel:
    """A decoder of LLaMA's kind: RMSNorm, rotary positions, grouped queries, SwiGLU.

    Parameters
    ----------
    tensors : mapping of str to float32
        Named as in LLaMA's checkpoints; matrices are (outputs, inputs). Without
        ``lm_head.weight`` the embedding is the output head too.
    config : Config
        Sizes.
    before : mapping of str to (K, K) float32
        Orthogonal matrices that linear layers apply to their inputs (``x @ matrix``) at run time.
    linears : mapping of str to callable
        What stands in for a linear layer: inputs (T, K) to outputs (T, N).
    cache : callable
        How attention keeps keys and values.
    operations : Operations
        What stands in for softmax, SiLU and norms.
    """

    tensors: Mapping[str, Array]
    config: Config = CONFIG
    before: Mapping[str, Array] = field(default_factory=dict)
    linears: Mapping[str, Linear] = field(default_factory=dict)
    cache: Cache = exact
    operations: Operations = EXACT

    @classmethod
    def load(cls, path: Path = CHECKPOINT, config: Config = CONFIG) -> Self:
        """Read a checkpoint: a file, or the folder of a model in parts.

        Raises
        ------
        InputError
            If the file is missing or broken, or its tensors are not those of the model.
        """
        return cls(read_tensors(path, config), config)

    @property
    def layer_names(self) -> list[str]:
        """Names of the linear layers, in the order in which they run."""
        return linear_layers(self.config)

    def weights(self, name: str) -> tuple[Array, Array]:
        """Return a linear layer's weights (K, N) and bias (N,), zeros where it has none."""
        self._require([name])
        weight = self.tensors[f"{name}.weight"]
        return weight.T, self.tensors.get(f"{name}.bias", np.zeros(len(weight), np.float32))

    def with_linears(self, linears: Mapping[str, Linear]) -> Self:
        """Return the model with the named linear layers replaced.

        Raises
        ------
        InputError
            If there is no linear layer of a name.
        """
        self._require(linears)
        return replace(self, linears={**self.linears, **linears})

    def activations(self, names: Collection[str], text: Rows) -> dict[str, Array]:
        """Return the inputs (B * T, K) of the named linear layers, in the order of the rows."""
        self._require(names)
        seen: dict[str, list[Array]] = {name: [] for name in names}
        for row in text:
            self.hidden(row[None], seen)
        return {name: np.concatenate(rows) for name, rows in seen.items()}

    def run(self, text: Tokens) -> Array:
        """Return the last hidden states (B * T, hidden) of windows (B, T)."""
        return self.hidden(text, {})

    def calibration_text(self, seed: int, without: Rows) -> Rows:
        """Return windows of training text, about 2000 tokens, none of them in ``without``."""
        found = calibration_windows(seed, CALIBRATION_WINDOWS)
        return [w for w in found if not any(np.array_equal(w, row) for row in without)]

    def text_to_run(
        self, seed: int, tokens: int, file: Path | None, *, tuning: bool = False
    ) -> Rows:
        """Return rows of so many tokens or more, of a file or of held-out text.

        What is chosen is chosen on training text, so ``tuning`` gives that: windows which do not
        calibrate with the same seed.

        Raises
        ------
        InputError
            If there are fewer, or the file is no text.
        """
        length = self.config.context
        if not file:
            count = -(-tokens // length)
            if tuning:
                drawn = calibration_windows(seed, CALIBRATION_WINDOWS + count)
                return drawn[CALIBRATION_WINDOWS:]
            return held_out_windows(seed, count)
        found = encode(load_tokenizer(), ["\n\n".join(texts_from_file(file))])
        if len(found) < tokens:
            raise InputError(
                f"{file} has {len(found)} tokens; asked for {tokens}: give a longer text or fewer"
                " tokens"
            )
        return [found[at : at + length] for at in range(0, tokens, length)]

    def _require(self, names: Collection[str]) -> None:
        require_layers("the language model", self.layer_names, names)

    def logits(self, windows: Tokens) -> Array:
        """Return what the model expects after each token.

        Parameters
        ----------
        windows : (B, T) int64
            T up to ``config.context``.

        Returns
        -------
        (B, T, vocabulary) float32
        """
        hidden = self.hidden(windows, {})
        head = self.tensors.get(HEAD, self.tensors[EMBEDDING])
        return (hidden @ head.T).reshape(*windows.shape, -1)

    def hidden(self, windows: Tokens, seen: dict[str, list[Array]]) -> Array:
        """Return the last hidden states (B * T, hidden); append inputs of layers to their lists."""
        x = self.tensors[EMBEDDING][windows.ravel()]
        for i in range(self.config.layers):
            x = self.layer(i, x, windows.shape[1], seen)
        return self._norm("model.norm", x)

    def layer(self, i: int, x: Array, length: int, seen: dict[str, list[Array]]) -> Array:
        """Return the hidden states (B * T, hidden) behind a decoder layer, of windows of T."""
        layer = f"model.layers.{i}"
        a = self._norm(f"{layer}.input_layernorm", x)
        q, k, v = (self._linear(f"{layer}.self_attn.{n}_proj", a, seen) for n in "qkv")
        softmax = partial(self.operations.softmax, layer)
        mixed = attention(q, k, v, length, self.config, self.cache, softmax)
        x = x + self._linear(f"{layer}.self_attn.o_proj", mixed, seen)
        a = self._norm(f"{layer}.post_attention_layernorm", x)
        gate, up = (self._linear(f"{layer}.mlp.{n}_proj", a, seen) for n in ("gate", "up"))
        inner = self.operations.activation(layer, gate, silu(gate), up) * up
        return x + self._linear(f"{layer}.mlp.down_proj", inner, seen)

    def _linear(self, name: str, x: Array, seen: dict[str, list[Array]]) -> Array:
        if name in self.before:
            x = x @ self.before[name]
        if name in seen:
            seen[name].append(x)
        if name in self.linears:
            return self.linears[name](x)
        found = x @ self.tensors[f"{name}.weight"].T
        return found + self.tensors[f"{name}.bias"] if f"{name}.bias" in self.tensors else found

    def _norm(self, name: str, x: Array) -> Array:
        spread = self.operations.root(name, x, root_mean_square(x, self.config.norm_epsilon))
        return x / spread * self.tensors[f"{name}.weight"]


def rms_norm(x: Array, gain: Array, epsilon: float) -> Array:
    """Return each row (T, K) over its root mean square, times the gain (K,)."""
    return x / root_mean_square(x, epsilon) * gain


def root_mean_square(x: Array, epsilon: float) -> Array:
    """Return the root (T, 1) of each row's mean square and epsilon."""
    spread = np.sqrt((x**2).mean(axis=1, keepdims=True) + np.float32(epsilon))
    return spread.astype(np.float32)


def silu(x: Array) -> Array:
    """Return x times its logistic function."""
    with np.errstate(over="ignore"):  # exp beyond float32: x / infinity is the right zero
        return (x / (1 + np.exp(-x))).astype(np.float32)


def rotate(heads: Array, base: float) -> Array:
    """Apply rotary positions: turn each pair (x[i], x[i + d/2]) by position * base**(-2i/d).

    Parameters
    ----------
    heads : (B, H, T, d) float32
        Queries or keys; d is even.
    base : float

    Returns
    -------
    (B, H, T, d) float32
    """
    half = heads.shape[-1] // 2
    turns = base ** (-np.arange(half) / half)
    angles = np.arange(heads.shape[-2])[:, None] * turns
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first, second = heads[..., :half], heads[..., half:]
    turned = (first * cosine - second * sine, second * cosine + first * sine)
    return np.concatenate(turned, axis=-1)


def attention(
    query: Array,
    key: Array,
    value: Array,
    length: int,
    config: Config,
    cache: Cache = exact,
    softmax: Callable[[Array], Array] = exact_softmax,
) -> Array:
    """Return causal attention's mix of the values, head by head.

    All are (B * T, heads * d), keys and values of as many heads as they have.
    """
    q, k, v = (
        part.reshape(-1, length, part.shape[1] // config.head_width, config.head_width)
        for part in (query, key, value)
    )
    q, k, v = (part.transpose(0, 2, 1, 3) for part in (q, k, v))
    q, k, v = cache(q, k, v, lambda heads: rotate(heads, config.rope_base))
    k, v = (np.repeat(part, config.heads // config.kv_heads, axis=1) for part in (k, v))
    scores = q @ k.transpose(0, 1, 3, 2) / np.float32(q.shape[-1] ** 0.5)
    scores[..., np.triu(np.ones((length, length), np.bool_), 1)] = -np.inf
    mixed = softmax(scores) @ v
    return mixed.transpose(0, 2, 1, 3).reshape(query.shape)
