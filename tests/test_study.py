"""The error split on MiniLM's linear layers: integer arithmetic must cost next to nothing."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import golden.quantise.product_table
import kllm.app
from golden.accuracy.error_split import ErrorSplit, study
from golden.base.errors import InputError
from golden.models.layer_source import model_layers
from golden.models.minilm import linear_layers

TOKENS = 24
THREE = ("encoder.layer.0.output.dense", "encoder.layer.2.intermediate.dense", linear_layers()[12])


def errors(names: list[str] | tuple[str, ...], **options) -> list[ErrorSplit]:
    return [split for _, split in study(model_layers(names, TOKENS), **options)]


@pytest.mark.parametrize("symmetric", [True, False])
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
