"""Model folders of LLaMA's kind: what they compute, quantised and on a chip."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateware.points.chip import CHIPS
from golden.accuracy.lm_eval import quantised_model
from golden.accuracy.options import EvalOptions
from golden.chip.compiled_files import DECODER, IMAGE, MAP, PROGRAM, read_compiled
from golden.chip.compiler import compile_decoder
from golden.chip.decoder_file import read_decoder
from golden.chip.fit import fit_decoder
from golden.chip.instruction import BYTES, Instruction
from golden.chip.machine import Machine
from golden.chip.real import RealDecoder
from golden.chip.windows import ChipModel
from golden.exact.linear import QuantizedLinear
from golden.models.lm.checkpoint import EMBEDDING, HEAD
from golden.models.lm.config import CONFIG as OWN
from golden.models.lm.config_file import read_config
from golden.models.lm.model import CHECKPOINT, LanguageModel
from golden.models.lm.tokens import END, train_tokenizer
from golden.quantise.methods.kllm import IntegerLayer
from tests.llama_folder import (
    CHIP,
    CONFIG,
    DEAD,
    IDS,
    Floats,
    compile_folder,
    invoke,
    made_tensors,
    reference,
    write_folder,
)

MISTRAL = {"model_type": "mistral", "architectures": ["MistralForCausalLM"]}
# Which says a window, and that it is not used.
QWEN2 = {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "sliding_window": 3}
QWEN2 |= {"use_sliding_window": False, "max_window_layers": 1, "head_dim": 4}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, Floats]]:
    """Return a folder, three parts of BF16, and its tensors."""
    folder, tensors = tmp_path_factory.mktemp("made") / "model", made_tensors(CONFIG, "BF16")
    write_folder(folder, CONFIG, tensors)
    return folder, tensors


@pytest.fixture(scope="module")
def compiled(made: tuple[Path, Mapping[str, Floats]]) -> Path:
    """Return the folder's model compiled."""
    return compile_folder(made[0])


@pytest.mark.parametrize(
    ("dtype", "parts", "change"),
    [
        ("BF16", 3, {}),
        ("F16", 1, {"tie_word_embeddings": True, "rope_theta": 1e6}),
        ("F32", 2, {"attention_bias": True, "mlp_bias": True, "num_key_value_heads": 1}),
        ("F32", 1, {"num_key_value_heads": 4, "head_dim": 4, "rms_norm_eps": 1e-6}),
        ("F32", 1, MISTRAL),
        ("F32", 1, QWEN2),
    ],
    ids=["grouped", "tied", "biased", "narrow", "mistral", "qwen2"],
)
def test_a_folder_is_read_as_what_it_computes(
    tmp_path: Path, dtype: str, parts: int, change: dict[str, Any]
) -> None:
    config = CONFIG | change
    tensors = made_tensors(config, dtype)
    write_folder(tmp_path, config, tensors, dtype=dtype, parts=parts)
    found = LanguageModel.load(tmp_path, read_config(tmp_path)).logits(IDS[:2])
    for row, logits in zip(IDS[:2], found, strict=True):
        expected = reference(config, tensors, row)
        np.testing.assert_allclose(logits, expected, atol=1e-5 * expected.std(), rtol=1e-5)


def test_a_decoder_is_its_layers_in_the_equations_of_llama(tmp_path: Path) -> None:
    """Quantised weights put back into the folder's places and orders compute what a decoder does.

    Sizes are such that roots of them are powers of two, which change no scale.
    """
    config = CONFIG | {"head_dim": 4, "vocab_size": 60, "attention_bias": True}
    write_folder(tmp_path, config, made_tensors(config, "F32"), dtype="F32", parts=1)
    model = LanguageModel.load(tmp_path, read_config(tmp_path))
    options, windows = EvalOptions(bits_a=8), IDS % 60
    decoder = fit_decoder(model, options, windows)
    tensors: dict[str, Floats] = {
        name: np.ones_like(tensor, np.float64)
        for name, tensor in model.tensors.items()
        if "norm" in name
    }
    for name, linear in quantised_model(model, options, windows).linears.items():
        assert isinstance(linear, IntegerLayer)
        tensors |= real(name, linear.layer)
    tensors[EMBEDDING] = decoder.embedding.view(np.float16).astype(np.float64)
    heads = [real("head", part) for part in decoder.head]
    tensors[HEAD] = sum(one["head.weight"] for one in heads) / config["hidden_size"] ** 0.5
    tensors["lm_head.bias"] = np.asarray(sum(one["head.bias"] for one in heads))
    expected = reference(config, tensors, windows[0], turns=np.float16)
    found = RealDecoder(decoder).logits(windows[:1])[0]
    np.testing.assert_allclose(found, expected, atol=1e-5 * expected.std(), rtol=1e-5)


def real(name: str, layer: QuantizedLinear) -> dict[str, Floats]:
    """Return weight (N, K) and bias of a quantised layer."""
    weight = layer.w_codebook()[layer.w_index] * layer.w_scale.value()
    return {f"{name}.weight": weight.T, f"{name}.bias": layer.bias.view(np.float16).astype(float)}


def test_the_chip_s_numbers_are_near_the_folder_s(
    made: tuple[Path, Mapping[str, Floats]], compiled: Path
) -> None:
    found = ChipModel(read_decoder(compiled / DECODER)).logits(IDS[:4])
    expected = np.stack([reference(CONFIG, made[1], row) for row in IDS[:4]])
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95
    assert np.abs(found[..., DEAD]).max() < 1e-6


def test_files_of_a_compilation_agree(compiled: Path) -> None:
    """An image alone, with what its map says, is the whole model."""
    places = json.loads((compiled / MAP).read_text())
    image, program = (compiled / IMAGE).read_bytes(), places["program"]
    expected = compile_decoder(read_decoder(compiled / DECODER), CHIPS[CHIP].shape)
    assert read_compiled(compiled).compiled == expected
    machine = Machine(CHIPS[CHIP].shape, image)
    other = Machine(CHIPS[CHIP].shape, expected.memory)
    assert machine.run(program["address"], 1) == other.run(expected.program, 1)
    row = places["regions"]["embedding"]
    assert row["size"] == 1000 * 16 * 2
    listing = (compiled / PROGRAM).read_text().splitlines()
    programs = [program, *places["blocks"]]
    assert [one["tokens"] for one in programs] == [1, *expected.blocks]
    said = [
        (one["address"] + BYTES * n, name)
        for one in programs
        for n, name in enumerate(one["steps"])
    ]
    assert len(listing) == len(said)
    for line, (at, name) in zip(listing, said, strict=True):
        address, step, text = line.split(maxsplit=2)
        assert (int(address, 16), step) == (at, name)
        assert text == Instruction.unpack(image[at : at + BYTES]).text()


def test_the_same_seed_gives_the_same_bytes(compiled: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "model", CONFIG, made_tensors(CONFIG, "BF16"), parts=1)
    again = compile_folder(tmp_path / "model")
    for name in (DECODER, IMAGE, MAP, PROGRAM):
        assert (again / name).read_bytes() == (compiled / name).read_bytes()


def test_a_folder_with_a_tokenizer_takes_and_gives_text(tmp_path: Path) -> None:
    text = "the chip writes what the chip reads; " * 30
    tokenizer = train_tokenizer([text], 290)
    config = CONFIG | {"vocab_size": 290, "num_hidden_layers": 1}
    write_folder(tmp_path / "model", config, made_tensors(config, "BF16"))
    tokenizer.save(str(tmp_path / "model" / "tokenizer.json"))
    (tmp_path / "text").write_text(text)
    out = tmp_path / "out"
    given = ("--calibration", tmp_path / "text", "--context", 8, "-o", out, "--chip", CHIP)
    invoke("compile", tmp_path / "model", *given)
    said = invoke(
        "generate", "--model", out, "--prompt", "the chip", "--tokens", 3, "--simulator", "golden"
    )
    assert said.stdout.startswith("the chip")
    assert END not in said.stdout


def test_a_text_ends_with_the_end_token(tmp_path: Path) -> None:
    """Of the tokens that would come, the second one that is another than the first."""
    config, folder = CONFIG | {"num_hidden_layers": 1}, tmp_path / "model"
    told = ("--prompt-ids", "1,2", "--tokens", 8, "--simulator", "golden", "--json", "-")

    def generated(change: dict[str, Any]) -> list[int]:
        write_folder(folder, config | change, made_tensors(config, "BF16"))
        out = compile_folder(folder)
        return json.loads(invoke("generate", "--model", out, *told).stdout)["tokens"]

    whole = generated({})
    assert len(whole) == 10
    last = next(token for token in whole[2:] if token != whole[2])
    ended = whole[: whole.index(last, 2) + 1]
    assert generated({"eos_token_id": [last, whole[2]]}) == ended
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": last}))
    assert generated({"eos_token_id": whole[2]}) == ended


def test_the_project_s_own_model_is_such_a_folder() -> None:
    assert read_config(CHECKPOINT.parent) == OWN
