"""``kllm quantize FOLDER``: a layer at a time, going on after being ended, the same bytes."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from golden.base.errors import InputError
from golden.base.tools import model_directory
from golden.models.layerwise import BertModel, LlamaModel, open_model
from golden.models.lm.config_file import read_config
from golden.models.lm.model import LanguageModel
from golden.models.minilm import MiniLM
from golden.models.quantise_folder import MANIFEST, Recipe, quantise_folder
from golden.quantise.layer_container import read_layer
from golden.quantise.quantize import quantize_linear
from tests.llama_folder import CONFIG, IDS, made_tensors, write_folder

FAST = Recipe(recipe="paper", windows=4)
LINEARS = 14


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_folder(tmp_path / "model", CONFIG, made_tensors(CONFIG, "BF16"))
    np.savez(tmp_path / "ids.npz", ids=IDS)
    return tmp_path / "model"


class EndedError(Exception):
    """What a kill is here."""


def run(model: Path, out: Path, recipe: Recipe = FAST, ends: int | None = None) -> None:
    """Quantise, or be ended when so many things have been reported."""
    count = 0

    def report(name: str, share: float) -> None:
        nonlocal count
        assert 0 <= share < 1
        if count == ends:
            raise EndedError
        count += 1

    quantise_folder(model, model.parent / "ids.npz", out, recipe, report)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_ended_twice_it_writes_the_same_bytes(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path / "whole")
    whole = content(tmp_path / "whole")
    assert len(whole) == LINEARS + 1
    for ends in (3, 7):  # in the first layer, then in the second
        with pytest.raises(EndedError):
            run(model, tmp_path / "ended", ends=ends)
    assert MANIFEST in content(tmp_path / "ended")
    assert len(content(tmp_path / "ended")) < len(whole) + 1
    run(model, tmp_path / "ended")
    assert content(tmp_path / "ended") == whole
    run(model, tmp_path / "ended", ends=0)  # nothing is left to do
    assert content(tmp_path / "ended") == whole


def test_layers_are_those_of_the_whole_model(model: Path, tmp_path: Path) -> None:
    run(model, tmp_path / "out")
    config = read_config(model)
    whole = LanguageModel.load(model, config)
    rows = IDS[np.random.default_rng(0).permutation(len(IDS))[:4]]
    name = "model.layers.1.mlp.down_proj"
    x = whole.activations([name], rows)[name]
    expected = quantize_linear(*whole.weights(name), x, symmetric=True, recipe="paper")
    got = read_layer(tmp_path / "out" / f"{name}.kllm.safetensors", "layer")
    for part in ("w_index", "w_centroids", "a_centroids", "product_table", "bias"):
        np.testing.assert_array_equal(getattr(got, part), getattr(expected, part), err_msg=part)


def test_a_folder_is_for_one_work(model: Path, tmp_path: Path) -> None:
    with pytest.raises(EndedError):
        run(model, tmp_path / "out", ends=0)
    for recipe, said in (
        (Recipe(recipe="weighted", windows=4), "another made by"),
        (Recipe(recipe="paper", windows=4, seed=1), "another made by"),
    ):
        with pytest.raises(InputError, match=said):
            run(model, tmp_path / "out", recipe)
    write_folder(model, CONFIG, made_tensors(CONFIG, "F16"), dtype="F16")
    with pytest.raises(InputError, match="another model"):
        run(model, tmp_path / "out")
    with pytest.raises(InputError, match="the model's own folder"):
        run(model, model)


def test_what_is_wrong_is_said_first(model: Path, tmp_path: Path) -> None:
    app = kllm.app.build_app()
    done = CliRunner().invoke(app, ["quantize", "--calibration=x.npz", "-o", "out"])
    assert "name the folder of a model, or layers with --weights" in str(done.exception)
    options = [str(model), f"--calibration={tmp_path / 'ids.npz'}", f"-o{tmp_path / 'out'}"]
    done = CliRunner().invoke(app, ["quantize", *options, "--weights=w.safetensors"])
    assert "leave out --weights" in str(done.exception)
    (tmp_path / "text.txt").write_text("some words")
    options[1] = f"--calibration={tmp_path / 'text.txt'}"
    done = CliRunner().invoke(app, ["quantize", *options])
    assert "has no tokenizer.json" in str(done.exception)
    (model / "config.json").write_text(json.dumps(CONFIG | {"model_type": "gpt2"}))
    with pytest.raises(InputError, match='model_type is "gpt2"'):
        open_model(model)
    (model / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_act": "relu"}))
    with pytest.raises(InputError, match='hidden_act is "relu"'):
        open_model(model)


def test_a_bert_is_read_as_it_is() -> None:
    """Layer by layer the hidden states are those of the whole model, and so are layers' inputs."""
    folder = model_directory()
    found, whole = open_model(folder), MiniLM(folder)
    assert isinstance(found, BertModel)
    assert not isinstance(found, LlamaModel)
    text = "Every row of tokens runs alone."
    tokens = np.array(whole.tokens(text))
    name = found.linears(1)[5]
    hidden, seen = found.embedded([tokens]), {name: []}
    for layer in range(found.layers):
        hidden = found.after(layer, hidden, seen)
    np.testing.assert_allclose(hidden[0], whole.run([text])[0], atol=1e-5)
    (x,) = whole.activations([name], [text]).values()
    np.testing.assert_allclose(seen[name][0], x, atol=1e-5)
    np.testing.assert_array_equal(found.weights(name)[0], whole.weights(name)[0])
