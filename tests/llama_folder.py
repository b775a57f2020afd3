"""Made-up model folders of LLaMA's kind, and what such a model computes, from its equations."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from typer.testing import CliRunner, Result

import kllm.app

CHIP = "chip_tiny"
DEAD = 7
IDS = np.random.default_rng(1).integers(0, 1000, (32, 16))  # text to calibrate on
Floats = npt.NDArray[np.float64]

# Heads are wider together than the residual stream is; each head of keys serves two of queries.
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 1000,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 24,
    "max_position_embeddings": 16,
    "rope_theta": 500.0,
    "rms_norm_eps": 1e-3,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


def shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the tensors of such a model, as its published code names and shapes them."""
    hidden, inner, wide = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    queries, keys = (config[f"num_{n}_heads"] * wide for n in ("attention", "key_value"))
    found: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], hidden),
        "model.norm.weight": (hidden,),
    }
    if not config["tie_word_embeddings"]:
        found["lm_head.weight"] = (config["vocab_size"], hidden)
    for n in range(config["num_hidden_layers"]):
        at = f"model.layers.{n}"
        matrices = {
            "self_attn.q_proj": (queries, hidden),
            "self_attn.k_proj": (keys, hidden),
            "self_attn.v_proj": (keys, hidden),
            "self_attn.o_proj": (hidden, queries),
            "mlp.gate_proj": (inner, hidden),
            "mlp.up_proj": (inner, hidden),
            "mlp.down_proj": (hidden, inner),
        }
        for name, shape in matrices.items():
            found[f"{at}.{name}.weight"] = shape
            own = config["model_type"] == "qwen2" and name[-6:] in ("q_proj", "k_proj", "v_proj")
            if own or config.get("attention_bias" if "attn" in name else "mlp_bias"):
                found[f"{at}.{name}.bias"] = shape[:1]
        for norm in ("input_layernorm", "post_attention_layernorm"):
            found[f"{at}.{norm}.weight"] = (hidden,)
    return found


def made_tensors(config: Mapping[str, Any], dtype: str, seed: int = 0) -> dict[str, Floats]:
    """Return tensors by seed, of numbers that a type has; heads look at some tokens more.

    An output channel of the head and one of a layer are dead: all of their weights are zeros.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in shapes(config).items():
        drawn = rng.normal(size=shape)
        if len(shape) == 2 and "embed" not in name:
            drawn *= (3 if "q_proj" in name else 1) * shape[1] ** -0.5
        elif "norm" in name:
            drawn = 1 + 0.3 * drawn
        if name in ("lm_head.weight", "model.layers.0.mlp.gate_proj.weight"):
            drawn[DEAD] = 0
        found[name] = values(stored(drawn, dtype), dtype).reshape(shape)
    return found


def stored(array: Floats, dtype: str) -> bytes:
    """Return the bytes of a tensor; BF16 is the upper half of FP32."""
    if dtype == "BF16":
        return (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return array.astype({"F16": "<f2", "F32": "<f4"}[dtype]).tobytes()


def values(data: bytes, dtype: str) -> Floats:
    """Return what the bytes of a tensor stand for: sign, exponent and mantissa by hand for BF16."""
    if dtype != "BF16":
        return np.frombuffer(data, {"F16": "<f2", "F32": "<f4"}[dtype]).astype(np.float64)
    word = np.frombuffer(data, "<u2").astype(np.int64)
    exponent, mantissa = word >> 7 & 0xFF, (word & 0x7F) / 128
    whole = np.where(exponent > 0, 1 + mantissa, 0)  # nothing is as small as subnormals here
    return np.where(word >> 15, -1.0, 1.0) * np.ldexp(whole, exponent - 127)


def write_folder(
    folder: Path,
    config: Mapping[str, Any],
    tensors: Mapping[str, Floats],
    *,
    dtype: str = "BF16",
    parts: int = 3,
) -> None:
    """Write a model, in one part as ``model.safetensors``, in several with their index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    names = list(tensors)
    places = {}
    for n in range(parts):
        file = "model.safetensors" if parts == 1 else f"model-{n + 1:05}-of-{parts:05}.safetensors"
        held = {name: stored(tensors[name], dtype) for name in names[n::parts]}
        head, at = {}, 0
        for name, data in held.items():
            ends = [at, at := at + len(data)]
            head[name] = {"dtype": dtype, "shape": tensors[name].shape, "data_offsets": ends}
        packed = json.dumps(head).encode()
        content = len(packed).to_bytes(8, "little") + packed + b"".join(held.values())
        (folder / file).write_bytes(content)
        places |= dict.fromkeys(held, file)
    if parts > 1:
        index = {"metadata": {"total_size": 0}, "weight_map": places}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def reference(
    config: Mapping[str, Any],
    tensors: Mapping[str, Floats],
    tokens: npt.NDArray[np.int64],
    turns: type[np.floating] = np.float64,
) -> Floats:
    """Return the logits (T, V) of a row of tokens, in float64, token by token and head by head.

    Cosines and sines of positions are rounded to ``turns``.
    """
    wide, epsilon = config["head_dim"], config["rms_norm_eps"]
    heads, kv_heads = (config[f"num_{n}_heads"] for n in ("attention", "key_value"))

    def norm(name: str, x: Floats) -> Floats:
        root = np.sqrt((x**2).mean(axis=-1, keepdims=True) + epsilon)
        return tensors[f"{name}.weight"] * (x / root)

    def linear(name: str, x: Floats) -> Floats:
        return x @ tensors[f"{name}.weight"].T + tensors.get(f"{name}.bias", 0)

    def turn(vector: Floats, position: int) -> Floats:
        half = wide // 2
        angle = position / config["rope_theta"] ** (np.arange(0, wide, 2) / wide)
        cosine, sine = (
            np.tile(of(angle), 2).astype(turns).astype(float) for of in (np.cos, np.sin)
        )
        return vector * cosine + np.concatenate([-vector[half:], vector[:half]]) * sine

    x = tensors["model.embed_tokens.weight"][tokens]
    for n in range(config["num_hidden_layers"]):
        at = f"model.layers.{n}"
        a = norm(f"{at}.input_layernorm", x)
        q, k, v = (
            linear(f"{at}.self_attn.{one}_proj", a).reshape(len(tokens), -1, wide) for one in "qkv"
        )
        mixed = np.zeros((len(tokens), heads, wide))
        for head in range(heads):
            group = head // (heads // kv_heads)
            keys = [turn(k[t, group], t) for t in range(len(tokens))]
            for t in range(len(tokens)):
                scores = np.array([turn(q[t, head], t) @ key for key in keys[: t + 1]])
                powers = np.exp(scores * wide**-0.5 - (scores * wide**-0.5).max())
                mixed[t, head] = powers / powers.sum() @ v[: t + 1, group]
        x = x + linear(f"{at}.self_attn.o_proj", mixed.reshape(len(tokens), -1))
        a = norm(f"{at}.post_attention_layernorm", x)
        gate, up = (linear(f"{at}.mlp.{one}_proj", a) for one in ("gate", "up"))
        x = x + linear(f"{at}.mlp.down_proj", gate / (1 + np.exp(-gate)) * up)
    head = tensors.get("lm_head.weight", tensors["model.embed_tokens.weight"])
    return norm("model.norm", x) @ head.T + tensors.get("lm_head.bias", 0)


def invoke(*arguments: object) -> Result:
    """Run the command line in this process; errors stay exceptions."""
    words = [str(one) for one in arguments]
    done = CliRunner().invoke(kllm.app.build_app(), words, env={"COLUMNS": "160"})
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def compile_folder(folder: Path, *arguments: object, chip: str = CHIP) -> Path:
    """Compile a folder on made-up tokens; return where to."""
    ids, out = folder.with_name("ids.json"), folder.with_name("out")
    ids.write_text(json.dumps(IDS.tolist()))
    invoke("compile", folder, "--calibration-ids", ids, "-o", out, "--chip", chip, *arguments)
    return out
