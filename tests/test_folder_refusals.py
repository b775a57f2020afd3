"""Model folders that are refused: by the key, the tensor or the file that stands against them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from gateware.points.chip import CHIPS
from golden.base.errors import InputError
from golden.chip.limits import longest_context, require_fit
from golden.chip.model_folder import FolderOptions, quantise_folder
from golden.models.lm.calibration import tokens_of_file, windows_of
from golden.models.lm.config_file import KEYS, read_config, read_end
from golden.models.lm.model import LanguageModel
from sim.kit.random_decoder import TINY
from tests.llama_folder import CONFIG, IDS, made_tensors, write_folder

SMALL = CONFIG | {"num_hidden_layers": 1, "vocab_size": 20}
ROPE = {"rope_type": "llama3", "factor": 8.0}


def configured(folder: Path, change: dict[str, Any], *left_out: str) -> Path:
    """Write a folder of a configuration alone."""
    config = {name: value for name, value in (CONFIG | change).items() if name not in left_out}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("model_type", "gpt2", '"llama" or "mistral" or "qwen2"'),
        ("architectures", ["MistralForCausalLM"], '["LlamaForCausalLM"]'),
        ("hidden_act", "gelu", '"silu" or "swish"'),
        ("rope_scaling", ROPE, 'null or {"rope_type": "default"}'),
        ("rope_parameters", {"rope_type": "yarn"}, 'null or {"rope_type": "default"}'),
        ("rope_scaling", "linear", 'null or {"rope_type": "default"}'),
        ("sliding_window", 8, "null or at least the context, 16 (--context)"),
        ("use_mrope", True, "null or false"),
        ("layer_types", ["sliding_attention", "full_attention"], '["full_attention"]'),
        ("quantization_config", {"quant_method": "gptq"}, "null"),
        ("partial_rotary_factor", 0.5, "null or 1"),
        ("num_local_experts", 8, "null or 0"),
        ("logits_scaling", 8.0, "null or 1"),
        ("attention_bias", "yes", "true or false"),
        ("hidden_size", 16.0, "a whole number from 1 to 10000000"),
        ("vocab_size", 0, "a whole number from 1 to 10000000"),
        ("num_hidden_layers", True, "a whole number from 1 to 10000000"),
        ("num_key_value_heads", 3, "a divisor of 4"),
        ("head_dim", 7, "an even number"),
        ("rms_norm_eps", 0, "a number from 1e-08 to 0.1"),
        ("rope_theta", "10000", "a number from 1.0 to 1000000000000.0"),
    ],
)
def test_what_a_configuration_asks_for_in_vain(
    tmp_path: Path, key: str, value: Any, allowed: str
) -> None:
    said = re.escape(f"config.json: {key} is {json.dumps(value)}; allowed is {allowed}") + "$"
    with pytest.raises(InputError, match=said):
        read_config(configured(tmp_path, {key: value}))


def of_kind(folder: Path, kind: str, change: dict[str, Any], *left_out: str) -> Path:
    """Write a folder of a configuration of another type."""
    named = {"model_type": kind, "architectures": [f"{kind.capitalize()}ForCausalLM"]}
    return configured(folder, named | change, *left_out)


def test_what_other_types_leave_out(tmp_path: Path) -> None:
    """Mistral's attention has a window of 4096 then; Qwen2 looks at its window if it is used."""
    assert read_config(of_kind(tmp_path, "mistral", {"attention_bias": True})).biased == ()
    long = {"max_position_embeddings": 4097}
    with pytest.raises(InputError, match="sliding_window is 4096; allowed is null or at least"):
        read_config(of_kind(tmp_path, "mistral", long | {"sliding_window": 4096}))
    with pytest.raises(InputError, match="sliding_window is 4096"):
        read_config(of_kind(tmp_path, "mistral", long))
    assert read_config(tmp_path, 4096).context == 4096
    assert (
        read_config(of_kind(tmp_path, "mistral", long | {"sliding_window": None})).context == 4097
    )
    found = read_config(of_kind(tmp_path, "qwen2", long | {"sliding_window": 8}))
    assert found.biased == tuple(f"self_attn.{one}_proj" for one in "qkv")
    with pytest.raises(InputError, match="use_sliding_window is true"):
        read_config(of_kind(tmp_path, "qwen2", {"use_sliding_window": True}))
    for kind in ("mistral", "qwen2"):
        with pytest.raises(InputError, match="num_key_value_heads is missing"):
            read_config(of_kind(tmp_path, kind, {}, "num_key_value_heads"))


@pytest.mark.parametrize("key", ["model_type", "hidden_size", "max_position_embeddings"])
def test_what_a_configuration_must_have(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=f"{key} is missing"):
        read_config(configured(tmp_path, {}, key))


def test_what_a_configuration_may_leave_out(tmp_path: Path) -> None:
    """And what newer folders say elsewhere; keys that change nothing may say anything."""
    left_out = ("num_key_value_heads", "head_dim", "rope_theta", "rms_norm_eps", "hidden_act")
    found = read_config(configured(tmp_path, {"rope_scaling": None, "eos_token_id": 2}, *left_out))
    assert (found.kv_heads, found.head_width) == (4, 4)
    assert (found.rope_base, found.norm_epsilon) == (10000.0, 1e-6)
    rope = {"rope_parameters": {"rope_type": "default", "rope_theta": 5000}}
    assert read_config(configured(tmp_path, rope)).rope_base == 5000
    with pytest.raises(InputError, match="head_dim must say how wide"):
        read_config(configured(tmp_path, {"hidden_size": 18}, "head_dim"))


@pytest.mark.parametrize("said", [20, -1, True, "2", [20, 1]])
def test_an_end_token_that_is_none(tmp_path: Path, said: Any) -> None:
    configured(tmp_path, {"eos_token_id": said})
    text = re.escape(f"{json.dumps(said)}; allowed is a token from 0 to 19")
    with pytest.raises(InputError, match=rf"config\.json: eos_token_id is {text}"):
        read_end(tmp_path, 20)
    (tmp_path / "generation_config.json").write_text("[]")
    with pytest.raises(InputError, match=r"generation_config\.json: it must be an object"):
        read_end(tmp_path, 20)


def test_there_may_be_no_end_token(tmp_path: Path) -> None:
    assert read_end(configured(tmp_path, {}), 20) is None
    assert read_end(configured(tmp_path, {"eos_token_id": None}), 20) is None
    assert read_end(configured(tmp_path, {"eos_token_id": []}), 20) is None


@pytest.mark.parametrize("text", ["{", "[]", "3"])
def test_a_configuration_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"has no config\.json"):
        read_config(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InputError, match=r"config\.json"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("chip", "change", "said"),
    [
        ("chip_edge", {"hidden_size": 4096}, "hidden_size is 4096; the chip's engine takes up to"),
        ("chip_tiny", {"intermediate_size": 65}, "intermediate_size is 65; .* up to 64"),
        ("chip_edge", {}, "head_dim is 8; allowed on this chip are multiples of 16"),
        ("chip_tiny", {"head_dim": 28}, "head_dim is 28; .* or 12 or 20 times one"),
        ("chip_tiny", {"num_attention_heads": 10}, "num_attention_heads is 10; .* allow 8 on"),
        ("chip_edge", {"head_dim": 16, "max_position_embeddings": 2048}, "room for 768 tokens"),
        (
            "chip_tiny",
            {"max_position_embeddings": 999},
            "is 999; .* room for 52 tokens: name one of",
        ),
        ("chip_tiny", {"hidden_size": 64, "head_dim": 16}, "whatever the context: hidden_size, in"),
    ],
)
def test_sizes_that_a_chip_has_no_room_for(
    tmp_path: Path, chip: str, change: dict[str, Any], said: str
) -> None:
    """Known before a tensor is read."""
    with pytest.raises(InputError, match=said):
        quantise_folder(configured(tmp_path, change), CHIPS[chip].shape, FolderOptions())


def test_the_longest_context_is_the_last_that_fits() -> None:
    shape = CHIPS["chip_tiny"].shape
    most = longest_context(TINY, shape)
    assert most == 64
    require_fit(TINY, shape, KEYS)


def test_tensors_that_are_not_the_model_s(tmp_path: Path) -> None:
    config, tensors = SMALL, made_tensors(SMALL, "F32")
    down, bias = (f"model.layers.0.mlp.down_proj.{name}" for name in ("weight", "bias"))
    turned = tensors[down].T
    cases = {
        rf"lacks tensors of the model: {re.escape(down)}": {down: None},
        rf"that no model of this configuration has: {re.escape(bias)}": {bias: np.ones(16)},
        rf"{re.escape(down)}.* has shape \(24, 16\); expected \(16, 24\)": {down: turned},
        r"model\.norm\.weight must be finite, but \[3\] is nan": {
            "model.norm.weight": np.where(np.arange(16) == 3, np.nan, 1)
        },
    }
    for said, change in cases.items():
        changed = {name: one for name, one in (tensors | change).items() if one is not None}
        write_folder(tmp_path, config, changed, dtype="F32", parts=1)
        with pytest.raises(InputError, match=said):
            LanguageModel.load(tmp_path, read_config(tmp_path))


def test_tensors_that_do_not_matter_are_left(tmp_path: Path) -> None:
    """Speeds of rotary positions, and a head beside an embedding that is the head, too."""
    config = SMALL | {"tie_word_embeddings": True}
    tensors = made_tensors(config, "F32")
    speeds = "model.layers.0.self_attn.rotary_emb.inv_freq"
    more = {speeds: np.ones(4), "lm_head.weight": np.ones(3)}
    write_folder(tmp_path, config, tensors | more, dtype="F32", parts=1)
    assert set(LanguageModel.load(tmp_path, read_config(tmp_path)).tensors) == set(tensors)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("v_proj", r"model\.layers\.0\.self_attn\.v_proj: outputs .* are not finite numbers"),
        ("embed", "the turned embedding must fit FP16"),
        ("lm_head", "logits of .* grow beyond FP16"),
    ],
)
def test_numbers_that_are_too_large(tmp_path: Path, part: str, said: str) -> None:
    tensors = made_tensors(SMALL, "F32")
    grown = {name: one * 1e6 if part in name else one for name, one in tensors.items()}
    write_folder(tmp_path, SMALL, grown, dtype="F32", parts=1)
    ids = tmp_path / "ids.json"
    ids.write_text(json.dumps((IDS % 20).tolist()))
    with pytest.raises(InputError, match=said):
        quantise_folder(tmp_path, CHIPS["chip_tiny"].shape, FolderOptions(tokens=ids))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "with --calibration .* or tokens with --calibration-ids"),
        ({"text": "t"}, r"no tokenizer\.json to make tokens of .*t with: give tokens"),
        ({"text": "t", "tokens": "t"}, "the same thing: give one of them"),
        ({"context": 17}, "from 1 to max_position_embeddings, 16; got 17"),
    ],
)
def test_calibration_that_is_missing(tmp_path: Path, options: Mapping[str, Any], said: str) -> None:
    given: dict[str, Any] = {
        n: tmp_path / one if isinstance(one, str) else one for n, one in options.items()
    }
    with pytest.raises(InputError, match=said):
        quantise_folder(configured(tmp_path, {}), CHIPS["chip_tiny"].shape, FolderOptions(**given))
    with pytest.raises(InputError, match="4, 5 or 8 bits, not 6"):
        FolderOptions(bits_a=6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1] * 63, "has 63 tokens; calibration needs 64 at least"),
        ([[1]] * 64, "must have two tokens at least"),
        ([[1] * 17] * 9, "windows of .* have 17 tokens; the context is 16"),
        ([5] * 63 + [20], "has token 20; the model knows 0 to 19"),
        ([5] * 63 + [-1], "has token -1; the model knows 0 to 19"),
        ([0.5] * 64, r"must hold whole numbers, .* float64 of shape \(64,\)"),
        ([[1], [1, 2]], "cannot be read as JSON of tokens"),
    ],
)
def test_tokens_that_do_not_calibrate(tmp_path: Path, content: Any, said: str) -> None:
    path = tmp_path / "ids.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=said):
        windows_of(tokens_of_file(path), vocabulary=20, context=16, count=9, seed=0, source=path)


def test_tokens_become_windows(tmp_path: Path) -> None:
    tokens = np.arange(70)
    np.savez(tmp_path / "ids.npz", tokens)
    known = {"vocabulary": 70, "count": 3, "seed": 0, "source": tmp_path}
    found = windows_of(tokens_of_file(tmp_path / "ids.npz"), context=16, **known)
    assert sorted(found[:, 0]) == sorted(set(found[:, 0]) & {0, 16, 32, 48})
    assert (np.diff(found, axis=1) == 1).all()
    assert windows_of(tokens, context=99, **known).tolist() == [tokens.tolist()]
    rows = tokens.reshape(7, 10)
    assert all(row in rows.tolist() for row in windows_of(rows, context=16, **known).tolist())


def test_commands_say_what_to_do_first(tmp_path: Path) -> None:
    def refused(*arguments: object) -> str:
        done = CliRunner().invoke(kllm.app.build_app(), [str(one) for one in arguments])
        assert isinstance(done.exception, InputError)
        return str(done.exception)

    assert "holds no model that `kllm compile` wrote" in refused("generate", "--model", tmp_path)
    configured(tmp_path, {})
    assert "`kllm compile" in refused("generate", "--model", tmp_path)
    both = ("--model", tmp_path, "--decoder", tmp_path)
    assert "give one of them" in refused("generate", *both)
    assert "the model's own folder" in refused("compile", tmp_path, "-o", tmp_path)
    assert "there is no chip 'chip_huge'" in refused(
        "compile", tmp_path, "-o", tmp_path / "out", "--chip", "chip_huge"
    )
    (tmp_path / "map.json").write_text("{}")
    assert "holds no whole compiled model" in refused("generate", "--model", tmp_path)
