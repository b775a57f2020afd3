"""The language model in PyTorch, for training alone; ``model.py`` is the reference."""

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional  # pyright: ignore[reportMissingImports]

from golden.models.lm.config import Config


class Attention(nn.Module):
    """Causal attention with rotary positions; no biases."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.q_proj = nn.Linear(config.hidden, config.hidden, bias=False)
        self.k_proj = nn.Linear(config.hidden, config.hidden, bias=False)
        self.v_proj = nn.Linear(config.hidden, config.hidden, bias=False)
        self.o_proj = nn.Linear(config.hidden, config.hidden, bias=False)

    def forward(self, x, cosine, sine):
        """Return (B, T, hidden)."""
        batch, length, width = x.shape
        q, k, v = (
            part(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for part in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate(x)) * up(x)); no biases."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden, config.inner, bias=False)
        self.up_proj = nn.Linear(config.hidden, config.inner, bias=False)
        self.down_proj = nn.Linear(config.inner, config.hidden, bias=False)

    def forward(self, x):
        """Return (B, T, hidden)."""
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention, then the feed-forward part, each on the normalised residual stream."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(config.hidden, config.norm_epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = nn.RMSNorm(config.hidden, config.norm_epsilon)
        self.mlp = FeedForward(config)

    def forward(self, x, cosine, sine):
        """Return (B, T, hidden)."""
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Everything between the embedding, which is the output head too, and the last norm."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocabulary, config.hidden)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.hidden, config.norm_epsilon)


class LanguageModel(nn.Module):
    """The whole model; its tensors have the names that LLaMA's checkpoints use.

    Parameters
    ----------
    config : Config
        Sizes.
    """

    cosine: torch.Tensor
    sine: torch.Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.model = Decoder(config)
        half = config.head_width // 2
        turns = config.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(config.context, dtype=torch.float64)[:, None] * turns
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                # Outputs that join the residual stream start smaller, as there are so many.
                joins = name.endswith(("o_proj.weight", "down_proj.weight"))
                spread = 0.02 / (2 * config.layers) ** 0.5 if joins else 0.02
                nn.init.normal_(parameter, std=spread)

    def forward(self, tokens):
        """Return logits (B, T, vocabulary) of the tokens (B, T) to come."""
        length = tokens.shape[1]
        x = self.model.embed_tokens(tokens)
        for layer in self.model.layers:
            x = layer(x, self.cosine[:length], self.sine[:length])
        return functional.linear(self.model.norm(x), self.model.embed_tokens.weight)


def rotate(x, cosine, sine):
    """Turn each pair (x[i], x[i + d/2]) of a head (B, H, T, d) by its position's angle."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
