"""The error split on MiniLM's linear layers: integer arithmetic must cost next to nothing."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import golden.quantise.product_table
import kllm.app
from golden.accuracy.error_split import ErrorSplit, split_errors, study
from golden.base.errors import InputError
from golden.models.layer_source import LayerSource, model_layers
from golden.models.minilm import linear_layers
from golden.quantise.quantize import quantize_linear

TOKENS = 24
THREE = ("encoder.layer.0.output.dense", "encoder.layer.2.intermediate.dense", linear_layers()[12])


def errors(names: list[str] | tuple[str, ...], **options) -> list[ErrorSplit]:
    return [split for _, split in study(model_layers(names, TOKENS), **options)]


@pytest.mark.parametrize("symmetric", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_arithmetic_errs_far_less_than_the_codebooks(symmetric: bool) -> None:
    """A layer of each kind; `kllm study` has all 36."""
    found = errors(linear_layers()[6::7], symmetric=symmetric)
    assert all(split.ratio < 1 / 8 for split in found)
    assert sum(split.ratio < 1 / 10 for split in found) >= len(found) - 1
    assert all(split.quantisation < split.int_per_token for split in found)
    assert all(split.quantisation < split.int_groups for split in found)


@pytest.mark.parametrize("symmetric", [True, False])
def test_three_bits_too(symmetric: bool) -> None:
    for split in errors(THREE[1:], symmetric=symmetric, activation_bits=3):
        assert split.ratio < 1 / 10
        assert split.quantisation < split.int_groups


def test_small_tables_cost_the_codebooks_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codebooks that make room for the table lose no more than the share that is allowed."""
    moved = errors(THREE[1:], symmetric=True)
    monkeypatch.setattr(golden.quantise.product_table, "YIELDING", ())
    still = errors(THREE[1:], symmetric=True)
    for a, b in zip(moved, still, strict=True):
        assert (
            a.quantisation**2 < (1 + golden.quantise.product_table.FURTHEST**2) * b.quantisation**2
        )
        assert a.arithmetic < b.arithmetic


def test_command_prints_and_writes(tmp_path: Path) -> None:
    options = ["--layers", "5.output.dense", "--tokens", "4", "--json", str(tmp_path / "s.json")]
    result = CliRunner().invoke(kllm.app.build_app(), ["study", *options])
    assert result.exit_code == 0, result.exception
    (said,) = json.loads((tmp_path / "s.json").read_text())
    assert said["layer"] == "encoder.layer.5.output.dense"
    assert said["arithmetic_over_quantisation"] == pytest.approx(
        said["arithmetic"] / said["quantisation"]
    )
    assert "1 of 1" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layers", "nope"], "nope"),
        (["--bits-a", "7"], "activation_bits"),
        (["--tokens", "0"], "tokens"),
        (["--magnitude-bits", "13"], "magnitude_bits"),
    ],
)
def test_nonsense_is_refused(options: list[str], said: str) -> None:
    result = CliRunner().invoke(kllm.app.build_app(), ["study", *options])
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)


def layer(bias: float, mean: float, tokens: int = 40, calibration: int = 40) -> LayerSource:
    """Return a layer of one output, which is the sum of its inputs, around ``mean``, and a bias."""
    rng = np.random.default_rng(1)
    known, x = (rng.choice([-1.0, 1.0], (t, 16)) + mean for t in (calibration, tokens))
    return LayerSource(
        name="",
        weight=np.ones((16, 1)),
        bias=np.full(1, bias),
        calibration=known,
        x=x.astype(np.float16).view(np.uint16),
    )


@pytest.mark.parametrize(("bias", "mean"), [(0, 0), (50, 0), (-30, 0), (0, 2), (20, -3)])
def test_errors_are_over_what_tells_tokens_apart(bias: float, mean: float) -> None:
    """Sixteen signs have a sum of root mean square 4, whatever bias and mean are beside it."""
    source = layer(bias, mean)
    split = split_errors(quantize_linear(source.weight, source.bias, source.calibration), source)
    assert split.output == pytest.approx(4, rel=0.25)
    plain = layer(0, 0)
    expected = split_errors(quantize_linear(plain.weight, plain.bias, plain.calibration), plain)
    assert split.output == pytest.approx(expected.output, rel=1e-6)
    assert split.relative()["int_groups_of_128"] == split.int_groups / split.output


def test_a_few_tokens_are_measured_against_the_mean_of_calibration() -> None:
    """One token has no mean of its own; without calibration the tokens' own serves, or the bias."""
    one = layer(50, 2, tokens=1, calibration=400)
    made = quantize_linear(one.weight, one.bias, one.calibration)
    assert 0 < split_errors(made, one).output < 13
    many = layer(50, 2, tokens=400)
    kept = replace(many, calibration=many.calibration[:0])
    assert split_errors(made, kept).output == pytest.approx(4, rel=0.1)
    alone = replace(one, calibration=one.calibration[:0])
    assert split_errors(made, alone).output == pytest.approx(32, abs=13)


def test_all_that_draws_layers_has_unseen_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers of either model, by default and for tuning, and the commands that say which."""
    drawn = []

    def layers(*arguments, tuning: bool = False):
        drawn.append(tuning)
        raise InputError("enough")

    for name in ("model_layers", "model_layer"):
        monkeypatch.setattr(f"golden.models.layer_source.{name}", layers)
    monkeypatch.setattr("golden.accuracy.width.model_layers", layers)
    commands = (["study"], ["curve", "width"], ["curve", "inputs"], ["run", "--simulator=icarus"])
    for command in commands:
        for option in ([], ["--tuning"]):
            result = CliRunner().invoke(kllm.app.build_app(), [*command, *option])
            assert str(result.exception) == "enough", result.output
    assert drawn == [False, True] * len(commands)
    result = CliRunner().invoke(kllm.app.build_app(), ["run", "--text=x", "--tuning"])
    assert "leave out --tuning" in str(result.exception)
