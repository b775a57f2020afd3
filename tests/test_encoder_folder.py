"""Model folders of BERT's kind: what they compute, quantised and on a chip."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateware.points.chip import CHIPS
from golden.base.errors import InputError
from golden.base.tools import model_directory
from golden.chip.compiled_files import IMAGE, MAP, PROGRAM
from golden.chip.encoder_compiler import compile_encoder
from golden.chip.encoder_folder import ENCODER, quantise_encoder, read_encoder_folder
from golden.chip.encoder_model import EncoderModel, pooled
from golden.chip.instruction import BYTES
from golden.chip.model_folder import FolderOptions
from golden.models.bert_config import MINILM, BertConfig, is_bert, read_bert_config, tensor_shapes
from golden.models.lm.tokens import train_tokenizer
from golden.models.minilm import MiniLM
from tests.llama_folder import Floats, invoke, stored, values, write_folder

CHIP = "chip_tiny"
CONFIG: dict[str, Any] = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 290,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 20,
    "layer_norm_eps": 1e-3,
    "hidden_act": "gelu",
}
SIZES = BertConfig(
    vocabulary=290, hidden=16, layers=2, heads=2, inner=24, context=20, norm_epsilon=1e-3
)
KINDS = ("word", "position", "token_type")
TEXT = "the chip reads a text\n\nof words that it writes\n\nand another text of words\n\n" * 8


def made_tensors(seed: int = 0) -> dict[str, Floats]:
    """Return tensors by seed, of numbers that BF16 has."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, shape in tensor_shapes(SIZES).items():
        drawn = rng.normal(size=shape)
        if name.endswith("LayerNorm.weight"):
            drawn = 1 + 0.3 * drawn
        elif len(shape) == 1:
            drawn *= 0.3
        elif "embeddings" not in name:
            drawn *= shape[1] ** -0.5
        found[name] = values(stored(drawn, "BF16"), "BF16").reshape(shape)
    return found


def read_config(folder: Path, config: Mapping[str, Any]) -> BertConfig:
    """Return what a configuration says, in a folder of its own."""
    (folder / "config.json").write_text(json.dumps(config))
    return read_bert_config(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder: two parts of BF16, and a tokenizer."""
    folder = tmp_path_factory.mktemp("made") / "model"
    write_folder(folder, CONFIG, made_tensors(), parts=2)
    train_tokenizer([TEXT], CONFIG["vocab_size"]).save(str(folder / "tokenizer.json"))
    (folder.parent / "text").write_text(TEXT)
    return folder


@pytest.fixture(scope="module")
def compiled(made: Path) -> Path:
    """Return the folder's model compiled."""
    out = made.with_name("out")
    said = invoke(
        *("compile", made, "--calibration", made.with_name("text"), "--context", 16),
        *("--chip", CHIP, "-o", out),
    )
    assert f"kllm embed --model {out}" in said.stdout
    return out


def reference(tensors: Mapping[str, Floats], tokens: list[int]) -> Floats:
    """Return the last hidden states (T, hidden) of a text, from BERT's equations in float64."""

    def linear(name: str, x: Floats) -> Floats:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    def norm(name: str, x: Floats) -> Floats:
        away = x - x.mean(axis=1, keepdims=True)
        root = np.sqrt((away**2).mean(axis=1, keepdims=True) + CONFIG["layer_norm_eps"])
        return away / root * tensors[f"{name}.LayerNorm.weight"] + tensors[f"{name}.LayerNorm.bias"]

    count = CONFIG["num_attention_heads"]
    embed = {name: tensors[f"embeddings.{name}_embeddings.weight"] for name in KINDS}
    x = embed["word"][tokens] + embed["position"][: len(tokens)] + embed["token_type"][0]
    x = norm("embeddings", x)
    for n in range(CONFIG["num_hidden_layers"]):
        at = f"encoder.layer.{n}"
        q, k, v = (
            np.split(linear(f"{at}.attention.self.{one}", x), count, axis=1)
            for one in ("query", "key", "value")
        )
        mixed = []
        for head in range(count):
            scores = np.exp(q[head] @ k[head].T * q[head].shape[1] ** -0.5)
            mixed.append(scores / scores.sum(axis=1, keepdims=True) @ v[head])
        attended = linear(f"{at}.attention.output.dense", np.concatenate(mixed, axis=1))
        x = norm(f"{at}.attention.output", x + attended)
        inner = linear(f"{at}.intermediate.dense", x)
        inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
        x = norm(f"{at}.output", x + linear(f"{at}.output.dense", inner))
    return x


def test_a_folder_is_read_as_what_it_computes(made: Path) -> None:
    assert is_bert(made)
    model = MiniLM(made, read_bert_config(made))
    tokens = model.tokens("the chip reads words")
    expected = reference(made_tensors(), tokens)
    (found,) = model.run(["the chip reads words"])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_minilm_s_own_folder_is_such_a_folder() -> None:
    folder = model_directory()
    assert is_bert(folder)
    assert read_bert_config(folder) == MINILM


def test_files_of_a_compilation_agree(made: Path, compiled: Path) -> None:
    found = read_encoder_folder(compiled)
    shape = CHIPS[CHIP].shape
    assert found.chip == CHIP
    assert found.encoder.shape.context == 16
    assert compile_encoder(found.encoder, shape) == found.compiled
    options = FolderOptions(text=made.with_name("text"), context=16)
    again = quantise_encoder(made, shape, options)
    assert compile_encoder(again.encoder, shape) == found.compiled
    assert 0.9 < again.cosine <= 1
    listing = (compiled / PROGRAM).read_text().splitlines()
    programs = json.loads((compiled / MAP).read_text())["programs"]
    steps = [
        (one["address"] + BYTES * n, step)
        for one in programs
        for n, step in enumerate(one["steps"])
    ]
    assert len(programs) == CONFIG["num_hidden_layers"] + 1
    assert [(int(line.split()[0], 16), line.split()[1]) for line in listing] == steps


def test_the_chip_s_numbers_are_near_the_folder_s(made: Path, compiled: Path) -> None:
    model, encoder = MiniLM(made, read_bert_config(made)), read_encoder_folder(compiled).encoder
    tokens = model.tokens("another chip reads the words of a text")[:16]
    states = reference(made_tensors(), tokens)
    vector = states.mean(axis=0) / np.linalg.norm(states.mean(axis=0))
    assert pooled(EncoderModel(encoder).hidden(np.array(tokens))) @ vector > 0.95


def test_vectors_out_of_the_chip_s_verilog(made: Path, compiled: Path) -> None:
    (made.parent / "other").write_text("the text that a chip reads\n\nwords")
    said = invoke("embed", "--model", compiled, "--text", made.parent / "other", "--json", "-")
    figures = json.loads(said.stdout)
    assert (figures["chip"], figures["numbers_that_differ"]) == (CHIP, 0)
    assert [len(one["vector"]) for one in figures["texts"]] == [16, 16]
    assert all(one["cycles"] for one in figures["texts"])
    assert figures["cosine_mean"] is None


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("architectures", ["BertForMaskedLM"], '["BertModel"]'),
        ("hidden_act", "gelu_new", '"gelu"'),
        ("position_embedding_type", "relative_key", '"absolute"'),
        ("is_decoder", True, "false or null"),
        ("num_attention_heads", 3, "a divisor of 16"),
        ("hidden_size", 0, "a whole number from 1 to 10000000"),
        ("layer_norm_eps", 1, "a number from 1e-15 to 0.1"),
    ],
)
def test_what_a_configuration_asks_for_in_vain(
    tmp_path: Path, key: str, value: Any, allowed: str
) -> None:
    said = re.escape(f"config.json: {key} is {json.dumps(value)}; allowed is {allowed}") + "$"
    with pytest.raises(InputError, match=said):
        read_config(tmp_path, CONFIG | {key: value})


@pytest.mark.parametrize(
    ("options", "chip", "said"),
    [
        ({}, CHIP, "an encoder is calibrated on text: give a text file"),
        ({"text": Path("text"), "bits_a": 4}, CHIP, "leave out --bits-a"),
        ({"text": Path("text"), "context": 21}, CHIP, "max_position_embeddings, 20; got 21"),
        ({"text": Path("text")}, "chip_edge", "such as chip_encoder"),
        ({"text": Path("text")}, "chip_encoder", "heads must be whole beats"),
    ],
)
def test_what_is_refused_before_a_tensor_is_read(
    tmp_path: Path, options: dict[str, Any], chip: str, said: str
) -> None:
    assert read_config(tmp_path, CONFIG) == SIZES
    with pytest.raises(InputError, match=said):
        quantise_encoder(tmp_path, CHIPS[chip].shape, FolderOptions(**options))


def test_a_tensor_of_another_shape(tmp_path: Path) -> None:
    tensors = made_tensors()
    name = "encoder.layer.1.output.dense.weight"
    write_folder(tmp_path, CONFIG, tensors | {name: tensors[name].T}, parts=1)
    with pytest.raises(InputError, match=rf"{name}' .* has shape \(24, 16\); expected \(16, 24\)"):
        MiniLM(tmp_path, read_bert_config(tmp_path))


def test_a_model_is_told_what_runs_it(compiled: Path) -> None:
    with pytest.raises(InputError, match="holds an encoder: `kllm embed --model"):
        invoke("generate", "--model", compiled)


def test_damaged_folders(compiled: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"has no {MAP}"):
        read_encoder_folder(tmp_path)
    for name in (MAP, IMAGE, ENCODER):
        (tmp_path / name).write_bytes((compiled / name).read_bytes())
    assert read_encoder_folder(tmp_path).compiled == read_encoder_folder(compiled).compiled
    (tmp_path / ENCODER).write_bytes(b"x" * 100)
    with pytest.raises(InputError, match="holds no encoder in the chip's numbers"):
        read_encoder_folder(tmp_path)
    (tmp_path / IMAGE).write_bytes(b"x")
    with pytest.raises(InputError, match="has 1 bytes"):
        read_encoder_folder(tmp_path)
    (tmp_path / MAP).write_text('{"program": {}}')
    with pytest.raises(InputError, match="holds a decoder: `kllm generate --model"):
        read_encoder_folder(tmp_path)
    (tmp_path / MAP).write_text("{}")
    with pytest.raises(InputError, match="holds no whole compiled encoder"):
        read_encoder_folder(tmp_path)
