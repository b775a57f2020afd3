"""The language model: its parts by hand, its text, its other forms."""

import cmath
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from golden.accuracy.lm_eval import quantised_model
from golden.accuracy.options import EvalOptions
from golden.base.errors import InputError
from golden.exact.outliers import outliers_per_side
from golden.models.lm import perplexity
from golden.models.lm.checkpoint import EMBEDDING, tensor_shapes
from golden.models.lm.config import LINEARS, Config, linear_layers
from golden.models.lm.corpus import held_out_windows
from golden.models.lm.equivalents import rotated, smoothed, turned, with_gains_in_weights
from golden.models.lm.model import (
    Array,
    LanguageModel,
    attention,
    rms_norm,
    rotate,
    silu,
)
from golden.models.lm.outlier_shares import FACTORS, outlier_share
from golden.models.model import quantise
from golden.quantise.methods.kllm import IntegerLayer

SMALL = Config(
    vocabulary=40, hidden=24, layers=2, heads=2, kv_heads=2, head_width=12, inner=48, context=16
)
GROUPED = replace(SMALL, heads=4, kv_heads=2, biased=LINEARS)


def small_model(config: Config = SMALL) -> LanguageModel:
    rng = np.random.default_rng(0)
    tensors = {
        name: rng.normal(size=shape).astype(np.float32) / np.float32(math.sqrt(shape[-1]))
        for name, shape in tensor_shapes(config).items()
    }
    gains = {name: np.abs(t) + 0.5 for name, t in tensors.items() if "norm" in name}
    return LanguageModel({**tensors, **gains}, config)


@pytest.fixture
def model() -> LanguageModel:
    return small_model()


@pytest.fixture
def text() -> np.ndarray:
    return np.random.default_rng(1).integers(SMALL.vocabulary, size=(3, SMALL.context))


def test_rms_norm_by_hand() -> None:
    """The root mean square of 3 and 4 is the root of 12.5."""
    found = rms_norm(
        np.array([[3, 4], [0, 0]], np.float32), np.array([1, 2], np.float32), 0.0 + 1e-9
    )
    np.testing.assert_allclose(found[0], [3 / math.sqrt(12.5), 8 / math.sqrt(12.5)], rtol=1e-6)
    assert found[1].tolist() == [0, 0]


def test_silu_by_hand() -> None:
    found = silu(np.array([0, math.log(3), -200, 200], np.float32))
    np.testing.assert_allclose(found, [0, 0.75 * math.log(3), 0, 200], atol=1e-6)


def test_positions_turn_pairs() -> None:
    """Width 4 and base 100: x[0] and x[2] turn by the position, x[1] and x[3] by a tenth of it."""
    heads = np.tile(np.array([1, 2, 3, 4], np.float32), (1, 1, 4, 1))
    found = rotate(heads, 100.0)[0, 0]
    for position in range(4):
        fast = (1 + 3j) * cmath.exp(1j * position)
        slow = (2 + 4j) * cmath.exp(1j * position / 10)
        expected = [fast.real, slow.real, fast.imag, slow.imag]
        np.testing.assert_allclose(found[position], expected, atol=1e-5)


def test_attention_looks_back_alone() -> None:
    """The first token sees itself; equal keys give the mean of what came; the future is nothing."""
    rng = np.random.default_rng(0)
    query, value = rng.normal(size=(2, 5, 24)).astype(np.float32)
    found = attention(query, np.zeros((5, 24), np.float32), value, 5, SMALL)
    for t in range(5):
        np.testing.assert_allclose(found[t], value[: t + 1].mean(axis=0), atol=1e-6)


def test_the_past_does_not_know_the_future(model: LanguageModel, text: np.ndarray) -> None:
    other = text.copy()
    other[:, 9:] = (other[:, 9:] + 1) % SMALL.vocabulary
    a, b = model.logits(text), model.logits(other)
    np.testing.assert_array_equal(a[:, :9], b[:, :9])
    assert (a[:, 9:] != b[:, 9:]).any()


def test_a_model_of_zeros_repeats_its_embedding() -> None:
    """Layers add nothing: logits are the normalised embedding times all embeddings."""
    shapes = tensor_shapes(SMALL)
    tensors = {n: (np.ones if len(s) == 1 else np.zeros)(s, np.float32) for n, s in shapes.items()}
    embedding = np.random.default_rng(3).normal(size=shapes[EMBEDDING]).astype(np.float32)
    model = LanguageModel({**tensors, EMBEDDING: embedding}, SMALL)
    row = embedding[7] / np.sqrt((embedding[7] ** 2).mean())
    found = model.logits(np.array([[7, 7]]))
    np.testing.assert_allclose(found[0], [embedding @ row] * 2, rtol=1e-4, atol=1e-4)


def test_logits_are_pytorch_s() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the extra 'train', is not installed")
    from golden.models.lm.torch_model import LanguageModel as TorchModel

    torch.manual_seed(0)
    other = TorchModel(SMALL)
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    tensors = {name: p.detach().numpy() for name, p in other.named_parameters()}
    assert {name: t.shape for name, t in tensors.items()} == tensor_shapes(SMALL)
    text = np.random.default_rng(2).integers(SMALL.vocabulary, size=(2, 16))
    expected = other(torch.from_numpy(text)).detach().numpy()
    found = LanguageModel(tensors, SMALL).logits(text)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_captured_inputs_are_those_of_the_layers(model: LanguageModel, text: np.ndarray) -> None:
    names = linear_layers(SMALL)
    seen = model.activations(names, text)
    assert list(seen) == names
    assert len(names) == 14
    for name in names:
        assert seen[name].shape == (text.size, model.weights(name)[0].shape[0])
    first = "model.layers.0.self_attn."
    np.testing.assert_array_equal(seen[f"{first}q_proj"], seen[f"{first}v_proj"])
    embedded = model.tensors[EMBEDDING][text.ravel()]
    gain = model.tensors["model.layers.0.input_layernorm.weight"]
    np.testing.assert_allclose(seen[f"{first}q_proj"], rms_norm(embedded, gain, 1e-5), atol=1e-6)


def test_a_replaced_layer_is_run(model: LanguageModel, text: np.ndarray) -> None:
    name = linear_layers(SMALL)[3]
    weight, bias = model.weights(name)
    same = model.with_linears({name: lambda x: x @ weight + bias})
    np.testing.assert_allclose(same.logits(text), model.logits(text), atol=1e-4)
    changed = model.with_linears({name: lambda x: 2 * (x @ weight)})
    assert np.abs(changed.logits(text) - model.logits(text)).max() > 0.01
    with pytest.raises(InputError, match="o_proj"):
        model.with_linears({"model.layers.0.self_attn.out_proj": lambda x: x})


@pytest.mark.parametrize("form", ["gains", "rotated", "turned", "smoothed", "turned from rotated"])
@pytest.mark.parametrize("config", [SMALL, GROUPED], ids=["plain", "grouped_biased"])
def test_other_forms_compute_the_same(text: np.ndarray, form: str, config: Config) -> None:
    model = small_model(config)
    if form == "gains":
        other = with_gains_in_weights(model)
    elif form == "rotated":
        other = rotated(model, 1)
    elif form == "turned":
        other = turned(model, 1, text)
    elif form == "smoothed":
        other = smoothed(model, text, bits_w=4, bits_a=4)
    else:
        other = turned(rotated(model, 1), 2, text)
    np.testing.assert_allclose(other.logits(text), model.logits(text), rtol=1e-3, atol=2e-4)
    name = "model.layers.1.mlp.up_proj.weight"
    assert np.abs(other.tensors[name] - model.tensors[name]).max() > 0.01


def test_rotation_spreads_a_loud_channel(text: np.ndarray) -> None:
    """One loud channel of the residual stream: after QuaRot's rotation no input stands out."""
    model = small_model()
    embedding = model.tensors[EMBEDDING].copy()
    embedding[:, 5] = 30
    model = replace(model, tensors={**model.tensors, EMBEDDING: embedding})
    other = rotated(model, 0)
    name = "model.layers.0.self_attn.q_proj"
    peaks = [
        (np.abs(x).max(axis=1) / np.sqrt((x**2).mean(axis=1))).mean()
        for x in (m.activations([name], text)[name] for m in (model, other))
    ]
    assert peaks[0] > 4
    assert peaks[1] < 2
    # What runs in front of the other two layers is a rotation, too.
    assert set(other.before) == {
        n for n in linear_layers(SMALL) if n.endswith(("o_proj", "n_proj"))
    }


def test_turning_leaves_nothing_to_run(model: LanguageModel, text: np.ndarray) -> None:
    """The form for this project's engines: all of it is in the weights."""
    other = turned(model, 0, text)
    assert not other.before
    assert not other.linears


def test_perplexity_of_knowing_nothing_is_the_vocabulary(text: np.ndarray) -> None:
    zeros = {name: np.zeros(shape, np.float32) for name, shape in tensor_shapes(SMALL).items()}
    found = perplexity.losses(LanguageModel(zeros, SMALL), text)
    assert perplexity.perplexity(found) == pytest.approx(SMALL.vocabulary)


def test_losses_are_those_of_the_next_tokens(model: LanguageModel, text: np.ndarray) -> None:
    logits = model.logits(text[1:2])[0].astype(np.float64)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.mean([math.log(chances[t, text[1, t + 1]]) for t in range(SMALL.context - 1)])
    assert perplexity.losses(model, text)[1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("method", ["fp16", "rtn", "smoothquant", "quarot", "atom", "kllm"])
def test_a_quantised_model_comes_near(text: np.ndarray, method: str) -> None:
    model = small_model(replace(SMALL, layers=1))
    names: list[str] = []
    other = quantised_model(model, EvalOptions(method=method), text, names.append)
    assert names == linear_layers(model.config)
    exact, found = model.logits(text), other.logits(text)
    assert ((found - exact) ** 2).mean() < (1e-5 if method == "fp16" else 0.3) * exact.var()


def test_layers_are_calibrated_on_quantised_inputs(model: LanguageModel, text: np.ndarray) -> None:
    """A method that returns nothing but zeros: the layers after it see no attention at all."""
    seen: dict[int, Array] = {}

    def prepare(weight: Array, bias: Array, calibration: Array):
        seen[len(seen)] = calibration
        return lambda x: np.zeros((len(x), weight.shape[1]), np.float32) + bias

    quantise(model, lambda _: prepare, text)
    assert not seen[3].any()  # o_proj reads a mix of zeros
    gain = model.tensors["model.layers.1.input_layernorm.weight"]
    np.testing.assert_allclose(
        seen[7], rms_norm(model.tensors[EMBEDDING][text.ravel()], gain, 1e-5), atol=1e-6
    )


def test_outliers_cost_no_more_lookups_than_even_shares() -> None:
    """A lookup for each outlier and output channel; the shares' mean is the share asked for."""
    model = LanguageModel.load()
    shapes = {name: model.weights(name)[0].shape for name in linear_layers()}
    assert {name.split(".")[-1] for name in shapes} == set(FACTORS)
    spent = sum(outlier_share(name, 0.01) * k * n for name, (k, n) in shapes.items())
    even = sum(0.01 * k * n for k, n in shapes.values())
    assert 0.97 * even < spent <= even
    # Rounded up, as engines have whole outliers.
    counts = {n: outliers_per_side(k, outlier_share(n, 0.005)) for n, (k, _) in shapes.items()}
    evenly = {n: outliers_per_side(k, 0.005) for n, (k, _) in shapes.items()}
    spent, even = (sum(c[n] * shapes[n][1] for n in shapes) for c in (counts, evenly))
    assert spent <= even
    assert outlier_share("model.layers.0.self_attn.o_proj", 0.5) == 0.5


def test_own_layers_have_their_shares_of_outliers(text: np.ndarray) -> None:
    """Tiny layers round up; the kept activations are those of each layer's own share."""
    model = small_model(replace(SMALL, layers=1, hidden=48, inner=480))
    text = text[:2]
    other = quantised_model(model, EvalOptions(), text)
    for name in linear_layers(model.config):
        layer = other.linears[name]
        assert isinstance(layer, IntegerLayer)
        inputs = layer.layer.inputs
        assert layer.layer.k_top == outliers_per_side(inputs, outlier_share(name, 0.005))
    down, gate = (other.linears[f"model.layers.0.mlp.{n}_proj"] for n in ("down", "gate"))
    assert isinstance(down, IntegerLayer)
    assert isinstance(gate, IntegerLayer)
    assert (down.layer.k_top, gate.layer.k_top) == (5, 1)


def test_checkpoint_knows_python() -> None:
    """The shipped weights: a few held-out windows are far from a surprise."""
    model = LanguageModel.load()
    assert perplexity.perplexity(perplexity.losses(model, held_out_windows(0, 4))) < 30


def test_broken_checkpoints_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensors = {n: np.zeros(s, np.float16) for n, s in tensor_shapes(SMALL).items()}
    save_file(tensors, path)
    assert LanguageModel.load(path, SMALL).config == SMALL
    with pytest.raises(InputError, match=r"embed_tokens.* shape \(40, 24\); expected \(41, 24\)"):
        LanguageModel.load(path, replace(SMALL, vocabulary=41))
    del tensors["model.norm.weight"]
    save_file(tensors, path)
    with pytest.raises(InputError, match=r"model\.norm\.weight"):
        LanguageModel.load(path, SMALL)
