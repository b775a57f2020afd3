"""The shape of a language model of LLaMA's kind."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """Sizes, those of the project's own model if nothing else is said.

    All its widths are multiples of 128, the group of the published baselines.

    Parameters
    ----------
    vocabulary : int
        Tokens of the tokenizer.
    hidden : int
        Width of the residual stream.
    layers : int
        Decoder layers.
    heads : int
        Heads of queries.
    kv_heads : int
        Heads of keys and values; each serves ``heads / kv_heads`` heads of queries.
    head_width : int
        Numbers of a head, an even number.
    inner : int
        Width of the feed-forward part.
    context : int
        Tokens of a window, in training and evaluation.
    rope_base : float
        Base of the rotary position angles.
    norm_epsilon : float
        Added to the mean square in RMSNorm.
    biased : tuple of str
        Which of :data:`LINEARS` have a bias.
    tied : bool
        Whether the embedding is the output head, too.
    """

    vocabulary: int = 2048
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 4
    head_width: int = 64
    inner: int = 768
    context: int = 256
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5
    biased: tuple[str, ...] = ()
    tied: bool = True


CONFIG = Config()
# Linear layers of a decoder layer, in the order in which they run.
ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
FEED_FORWARD = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
LINEARS = ATTENTION + FEED_FORWARD


def linear_layers(config: Config = CONFIG) -> list[str]:
    """Return the names of the linear layers, in the order in which they run."""
    return [f"model.layers.{i}.{name}" for i in range(config.layers) for name in LINEARS]
