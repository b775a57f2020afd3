"""MiniLM's forward pass against published similarities and the standard library's functions."""

import math
from pathlib import Path

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.models.minilm import MiniLM, attention, erf, gelu, linear_layers
from golden.models.text import (
    calibration_texts,
    evaluation_texts,
    held_out_texts,
    texts_from_file,
)

# Sentence Transformers' documentation (quick start) prints these for this very model.
SENTENCES = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")
SIMILARITIES = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def test_similarities_are_the_published_ones(model: MiniLM) -> None:
    vectors = model.embed(SENTENCES)
    np.testing.assert_allclose(vectors @ vectors.T, SIMILARITIES, atol=1e-4)


def test_a_text_s_vector_does_not_depend_on_its_company(model: MiniLM) -> None:
    together = model.embed(SENTENCES)
    np.testing.assert_array_equal(model.embed(SENTENCES[::-1]), together[::-1])


def test_captured_inputs_belong_to_the_layer(model: MiniLM) -> None:
    names = linear_layers()
    assert len(names) == len(set(names)) == 36
    seen = model.activations(names, SENTENCES[:2])
    tokens = sum(len(model.tokens(text)) for text in SENTENCES[:2])
    for name in names:
        weight, bias = model.weights(name)
        assert seen[name].shape == (tokens, weight.shape[0])
        assert bias.shape == weight.shape[1:]
    # Query, key and value read the same; GELU's output is never below its minimum, -0.17.
    first = "encoder.layer.0.attention.self."
    np.testing.assert_array_equal(seen[f"{first}query"], seen[f"{first}value"])
    assert seen["encoder.layer.2.output.dense"].min() >= -0.1701
    assert seen["encoder.layer.2.output.dense"].shape[1] == 1536


def test_tokens_are_between_their_marks(model: MiniLM) -> None:
    """BERT's vocabulary: 101 is [CLS], 102 [SEP], 7592 "hello"."""
    assert model.tokens("Hello") == [101, 7592, 102]
    assert len(model.tokens("word " * 900)) == 512


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_text_without_tokens_is_refused(model: MiniLM, text: str) -> None:
    with pytest.raises(InputError, match="no token"):
        model.tokens(text)


def test_an_unknown_layer_is_told_what_comes_near(model: MiniLM) -> None:
    with pytest.raises(InputError, match=r"encoder\.layer\.0\.attention\.self\.query"):
        model.weights("encoder.layer.0.attention.self.qerry")


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model\.safetensors"):
        MiniLM(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    with pytest.raises(InputError, match=r"model\.safetensors"):
        MiniLM(tmp_path)


def test_erf_and_gelu_are_the_standard_library_s() -> None:
    x = np.linspace(-7, 7, 5001)
    np.testing.assert_allclose(erf(x), [math.erf(v) for v in x], atol=1e-10)
    expected = [v / 2 * math.erfc(-v / math.sqrt(2)) for v in x]
    np.testing.assert_allclose(gelu(x.astype(np.float32)), expected, atol=1e-6)


def test_attention_to_equal_keys_is_the_mean() -> None:
    rng = np.random.default_rng(0)
    query, value = rng.normal(size=(2, 5, 384)).astype(np.float32)
    mixed = attention(query, np.ones((5, 384), np.float32), value)
    np.testing.assert_allclose(mixed, np.broadcast_to(value.mean(axis=0), (5, 384)), atol=1e-5)


def test_calibration_never_sees_evaluation() -> None:
    calibration, evaluation = calibration_texts(3, 50), evaluation_texts(4, 50)
    assert not set(calibration) & set(evaluation)
    assert calibration == calibration_texts(3, 50) != calibration_texts(4, 50)


def test_figures_are_of_passages_that_no_choice_has_seen() -> None:
    """Not of those that seeds 0 to 2 drew when methods were chosen, whatever the seed."""
    chosen_on = {text for seed in range(3) for text in held_out_texts(seed, 64)}
    for seed in (0, 5):
        unseen = evaluation_texts(seed, 200)
        assert len(set(unseen)) == 200
        assert not set(unseen) & (chosen_on | set(calibration_texts(0, 400)))
        assert set(evaluation_texts(seed, tuning=True)) == chosen_on
    assert evaluation_texts(3, 64) == evaluation_texts(3, 64) != evaluation_texts(4, 64)


def test_layers_run_passages_that_no_choice_has_seen(model: MiniLM) -> None:
    """Whatever draws text to run by default; with ``tuning`` nothing but what choices have seen."""
    chosen_on = {text for seed in range(3) for text in held_out_texts(seed, 64)}
    for seed in range(4):
        assert not set(model.text_to_run(seed, 300, None)) & chosen_on
        assert set(model.text_to_run(seed, 300, None, tuning=True)) <= chosen_on


def test_texts_of_a_file_are_its_paragraphs(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One\ntwo.\n\n\n Three. \n", encoding="utf-8")
    assert texts_from_file(tmp_path / "a.txt") == ["One two.", "Three."]
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe\xff")
    for name in ("b.txt", "c.txt"):
        with pytest.raises(InputError, match=name):
            texts_from_file(tmp_path / name)


@pytest.mark.parametrize("count", [0, 10**6])
def test_more_texts_than_there_are_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="from 1 to"):
        evaluation_texts(0, count)
