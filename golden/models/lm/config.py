"""The shape of the language model."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Config:
    """Sizes; all widths are multiples of 128, the group of the published baselines.

    Parameters
    ----------
    vocabulary : int
        Tokens of the tokenizer.
    hidden : int
        Width of the residual stream.
    layers : int
        Decoder layers.
    heads : int
        Attention heads; a head is ``hidden / heads`` wide, which must be even.
    inner : int
        Width of the feed-forward part.
    context : int
        Tokens of a window, in training and evaluation.
    rope_base : float
        Base of the rotary position angles.
    norm_epsilon : float
        Added to the mean square in RMSNorm.
    """

    vocabulary: int = 2048
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    inner: int = 768
    context: int = 256
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5


CONFIG = Config()
# Linear layers of a decoder layer, in the order in which they run.
ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
FEED_FORWARD = ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
LINEARS = ATTENTION + FEED_FORWARD


def linear_layers(config: Config = CONFIG) -> list[str]:
    """Return the names of the linear layers, in the order in which they run."""
    return [f"model.layers.{i}.{name}" for i in range(config.layers) for name in LINEARS]
