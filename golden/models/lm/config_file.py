"""The shape of a model from the ``config.json`` of its folder, or the key that stands against it.

Mistral and Qwen2 are LLaMA with other habits: what they leave out means something else. What other
software does not look at in a model of a kind is not looked at here either. A key that changes what
a model computes, and that this project does not compute, is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from golden.base.errors import InputError
from golden.models.lm.config import ATTENTION, FEED_FORWARD, Config

CONFIG_FILE = "config.json"
GENERATION_FILE = "generation_config.json"
# A folder's words for a model's sizes, in the order of those of :class:`Config`.
KEYS = {
    "vocabulary": "vocab_size",
    "hidden": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "kv_heads": "num_key_value_heads",
    "head_width": "head_dim",
    "inner": "intermediate_size",
    "context": "max_position_embeddings",
    "rope_base": "rope_theta",
    "norm_epsilon": "rms_norm_eps",
}
# Least and most of those that are no whole numbers.
RANGES = {"rope_base": (1.0, 1e12), "norm_epsilon": (1e-8, 0.1)}
WHOLE = (1, 10**7)
# Where a folder leaves them out.
USUAL = {"rope_theta": 10000.0, "rms_norm_eps": 1e-6}
FULL = "full_attention"  # of a layer


@dataclass(frozen=True)
class Kind:
    """What models of a type have in common.

    Parameters
    ----------
    architecture : str
    biased : tuple of str, optional
        Linear layers with a bias; None where keys say which.
    grouped : bool
        Whether there is nothing to say how many heads of keys there are, if they are not said.
    windowed : bool
        Whether it is ``sliding_window`` alone that says how many tokens attention sees.
    window : int, optional
        What that says where it is left out; None: all of them.
    """

    architecture: str
    biased: tuple[str, ...] | None = None
    grouped: bool = False
    windowed: bool = True
    window: int | None = None


KINDS = {
    "llama": Kind("LlamaForCausalLM"),
    "mistral": Kind("MistralForCausalLM", biased=(), grouped=True, window=4096),
    "qwen2": Kind("Qwen2ForCausalLM", biased=ATTENTION[:3], grouped=True, windowed=False),
}
# What else a key may say; the first is what it says where it is left out.
ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "hidden_act": ("silu", "swish"),
    "use_sliding_window": (None, False),
    "use_mrope": (None, False),
    "quantization_config": (None,),
    "partial_rotary_factor": (None, 1),
    "rope_interleaved": (None, False),
    "attn_logit_softcapping": (None,),
    "final_logit_softcapping": (None,),
    "use_qk_norm": (None, False),
    "is_encoder_decoder": (None, False),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts"), (None, 0)),
    **dict.fromkeys(("embedding_multiplier", "residual_multiplier"), (None, 1)),
    **dict.fromkeys(("logits_scaling", "logit_scale"), (None, 1)),
}


def read_config(folder: Path, context: int | None = None) -> Config:
    """Return the shape of the model in a folder, with another context if one is wanted.

    Raises
    ------
    InputError
        If there is no such file, a key is missing or says what is not done here, or the context
        is longer than the model's.
    """
    path = folder / CONFIG_FILE
    try:
        return _config(read_json(path), context)
    except FileNotFoundError:
        raise InputError(
            f"{folder} has no {CONFIG_FILE}: name the folder of a model of LLaMA's kind"
        ) from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the keys of a file.

    Raises
    ------
    InputError
        If it cannot be read, or has none.
    FileNotFoundError
        If there is no such file.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"it cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"it must be an object with the keys of a model, is {found!r}")
    return found


def read_end(folder: Path, vocabulary: int) -> int | None:
    """Return the token behind which a model's text ends, the first of several; None without one.

    ``eos_token_id`` of what the folder says of generation counts before that of its configuration.

    Raises
    ------
    InputError
        If it is no token.
    """
    for path in (folder / GENERATION_FILE, folder / CONFIG_FILE):
        try:
            said = read_json(path).get("eos_token_id") if path.is_file() else None
            first = next(iter(said), None) if isinstance(said, list) else said
            if type(first) is int and 0 <= first < vocabulary:
                return first
            if first is not None:
                raise refused("eos_token_id", said, [f"a token from 0 to {vocabulary - 1}"])
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    return None


def _config(found: Mapping[str, Any], context: int | None) -> Config:
    if "model_type" not in found:
        raise InputError(f"model_type is missing; allowed is {_either(KINDS)}")
    kind = KINDS.get(str(found["model_type"]))
    if not kind:
        raise refused("model_type", found["model_type"], KINDS)
    named = found.get("architectures", [kind.architecture])
    if named != [kind.architecture]:
        raise refused("architectures", named, [[kind.architecture]])
    for key, allowed in ALLOWED.items():
        if found.get(key, allowed[0]) not in allowed:
            raise refused(key, found[key], allowed)
    kinds = found.get("layer_types")
    if kinds is not None and (not isinstance(kinds, list) or set(kinds) != {FULL}):
        raise refused("layer_types", kinds, [[FULL]])
    values = dict(found) | _rotary(found)
    heads = _size("heads", values)
    if values.get("num_key_value_heads") is None and not kind.grouped:
        values["num_key_value_heads"] = heads
    if values.get("head_dim") is None:
        hidden = _size("hidden", values)
        if hidden % heads:
            raise InputError(
                f"hidden_size is {hidden}, no multiple of num_attention_heads, {heads}: head_dim"
                " must say how wide a head is"
            )
        values["head_dim"] = hidden // heads
    sizes = {one.name: _size(one.name, values) for one in fields(Config) if one.name in KEYS}
    if heads % sizes["kv_heads"]:
        raise refused("num_key_value_heads", sizes["kv_heads"], [f"a divisor of {heads}"])
    if sizes["head_width"] % 2:
        raise refused("head_dim", sizes["head_width"], ["an even number"])
    if context is not None:
        if not 1 <= context <= sizes["context"]:
            raise InputError(
                "the context must be from 1 to max_position_embeddings,"
                f" {sizes['context']}; got {context}"
            )
        sizes["context"] = context
    _require_window(kind, found, sizes["context"])
    biased = kind.biased
    if biased is None:
        attention, feed_forward = _flag("attention_bias", found), _flag("mlp_bias", found)
        biased = (*ATTENTION * attention, *FEED_FORWARD * feed_forward)
    return Config(**sizes, biased=biased, tied=_flag("tie_word_embeddings", found))


def _require_window(kind: Kind, found: Mapping[str, Any], context: int) -> None:
    """Raise InputError if attention would see less than the context."""
    window = found.get("sliding_window", kind.window) if kind.windowed else None
    if window is not None and (type(window) is not int or window < context):
        allowed = [None, f"at least the context, {context} (--context)"]
        raise refused("sliding_window", window, allowed)


def _rotary(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of rotary positions: older folders have two keys, newer ones have one."""

    def usual(said: Mapping[str, Any]) -> set[str]:
        return {str(said.get(name, "default")) for name in ("rope_type", "type")}

    values = {}
    for key in ("rope_scaling", "rope_parameters"):
        said = found.get(key)
        if said is None:
            continue
        known = {"rope_type", "type", "rope_theta"}
        if not isinstance(said, dict) or not set(said) <= known or usual(said) != {"default"}:
            raise refused(key, said, [None, {"rope_type": "default"}])
        values |= {name: said[name] for name in ("rope_theta",) if name in said}
    return values


def _size(name: str, values: Mapping[str, Any]) -> Any:
    """Return the number that a key gives for a size."""
    key = KEYS[name]
    value = values.get(key, USUAL.get(key, MISSING))
    if value is MISSING:
        raise InputError(f"{key} is missing")
    low, high = RANGES.get(name, WHOLE)
    kinds = (int, float) if name in RANGES else (int,)
    if type(value) not in kinds or not low <= value <= high:
        kind = "a number" if name in RANGES else "a whole number"
        raise refused(key, value, [f"{kind} from {low} to {high}"])
    return float(value) if name in RANGES else value


def _flag(key: str, found: Mapping[str, Any]) -> bool:
    value = found.get(key, False)
    if type(value) is not bool:
        raise refused(key, value, (True, False))
    return value


def refused(key: str, value: Any, allowed: Any) -> InputError:
    """Return the error that says what a key may be."""
    return InputError(f"{key} is {json.dumps(value)}; allowed is {_either(allowed)}")


def _either(allowed: Any) -> str:
    """Return what is allowed, in words; a text with a blank is a sentence's, no value."""
    shown = (one if isinstance(one, str) and " " in one else json.dumps(one) for one in allowed)
    return " or ".join(shown)
