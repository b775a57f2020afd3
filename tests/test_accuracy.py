"""Evaluation of whole models: what is measured, on hand-worked vectors and small runs."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import golden.accuracy.evaluations as evaluations
import kllm.app
from golden.accuracy.minilm_eval import agreement, retrieval
from golden.accuracy.options import EvalOptions, Figures
from golden.accuracy.static_outliers import input_errors
from golden.accuracy.width import width_curve
from golden.base.errors import InputError
from golden.models.layer_source import LayerSource, model_layer
from golden.models.minilm import MiniLM, linear_layers, pool
from golden.models.model import quantise
from golden.quantise.methods.kllm import prepare_kllm
from golden.quantise.recipes.table import RECIPES

TEXTS = ["A generator is a function which returns an iterator.", "Dogs bark."]


def invoke(*arguments: str):
    return CliRunner().invoke(kllm.app.build_app(), arguments)


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM()


def test_layers_are_made_in_order_on_what_quantised_ones_give(model: MiniLM) -> None:
    """Layers that double their outputs: the second sees what the first has made of the text."""
    seen = {}

    def make(weight, bias, x):
        name = linear_layers()[len(seen)]
        seen[name] = x
        return lambda x: x @ weight + bias + (name == linear_layers()[3])

    quantised = quantise(model, lambda name: make, TEXTS)
    assert list(quantised.linears) == linear_layers()
    exact = model.activations(linear_layers(), TEXTS)
    for name in linear_layers()[:4]:
        np.testing.assert_allclose(seen[name], exact[name], atol=2e-5)
    # The fourth layer adds 1 to all channels, which the norm behind it takes away again.
    np.testing.assert_allclose(seen[linear_layers()[4]], exact[linear_layers()[4]], atol=2e-4)
    np.testing.assert_allclose(pool(quantised.run(TEXTS)), model.embed(TEXTS), atol=1e-4)


def test_a_quantised_layer_runs_in_the_model(model: MiniLM) -> None:
    """One layer in the engines' integers, the others exact: near FP32, and not equal."""

    def make(weight, bias, x):
        if weight.shape != (1536, 384) or made:
            return lambda x: x @ weight + bias
        made.append(1)
        return prepare_kllm(weight, bias, x, bits_w=4, bits_a=4, seed=0)

    made: list[int] = []
    quantised = quantise(model, lambda name: make, TEXTS)
    found = agreement(pool(quantised.run(TEXTS)), model.embed(TEXTS))
    assert 1e-5 < found["error"] <= found["worst_text"] < 0.02


def test_layers_that_are_not_asked_for_stay(model: MiniLM) -> None:
    def make(weight, bias, x):
        return lambda x: np.zeros((len(x), len(bias)), np.float32)

    name = "encoder.layer.2.output.dense"
    quantised = quantise(model, lambda one: make if one == name else None, TEXTS)
    assert list(quantised.linears) == [name]
    assert not quantised.linears[name](np.ones((2, 1536), np.float32)).any()
    assert not model.linears, "the model itself stays as it was"


def test_agreement_and_retrieval_on_vectors_worked_by_hand() -> None:
    exact = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)
    turned = np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]], np.float32)
    found = agreement(turned, exact)
    assert found["error"] == pytest.approx(0.04 / 4)
    assert found["worst_text"] == pytest.approx(0.04)
    # The second's nearest was the first (0.8 against 0.6) and is now the third.
    assert retrieval(turned, exact, 1) == pytest.approx(3 / 4)
    assert retrieval(turned, exact, 3) == 1
    assert retrieval(exact, exact, 2) == 1


def test_static_and_online_inputs() -> None:
    """A codebook of each token's own errs less; loud tokens have more beyond fixed thresholds."""
    source = model_layer("encoder.layer.3.attention.self.query", 24)
    errors = input_errors(source, 4, symmetric=True, outlier_share=0.005)
    assert errors.online < errors.dynamic < 0.12
    assert 0.004 < errors.static_share < 0.02
    assert errors.static < 0.12
    nothing = input_errors(source, 4, symmetric=True, outlier_share=0)
    assert nothing.static == pytest.approx(nothing.dynamic, rel=1e-2)
    assert nothing.static_share == 0
    assert errors.dynamic < errors.rms_scale < errors.largest_scale


def test_values_that_fit_the_codebook_lose_nothing() -> None:
    x = np.resize([-3.0, -1, 1, 3], (9, 16))
    source = LayerSource(
        name="",
        weight=np.ones((16, 1)),
        bias=np.zeros(1),
        calibration=x,
        x=x.astype(np.float16).view(np.uint16),
    )
    errors = input_errors(source, 2, symmetric=True, outlier_share=0)
    assert (errors.dynamic, errors.static, errors.online) == (0, 0, 0)
    assert errors.rms_scale == pytest.approx(0, abs=1e-9)
    assert errors.largest_scale == pytest.approx(0, abs=1e-9)


def test_wider_tables_err_less() -> None:
    steps = []
    curve = width_curve(
        [linear_layers()[3]],
        [6, 8],
        symmetric=True,
        tokens=24,
        seed=0,
        report=lambda: steps.append(1),
    )
    narrow, wide = curve
    assert len(steps) == 2
    assert narrow.largest_ratio > 0.1 > wide.largest_ratio
    assert (narrow.below_tenth, wide.below_tenth) == (0, 1)
    assert wide.total == pytest.approx(np.hypot(1, wide.mean_ratio) * wide.quantisation)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[EvalOptions]:
    """Put a model in MiniLM's place that only notes how it was asked."""
    asked: list[EvalOptions] = []

    def evaluate(options: EvalOptions, progress) -> Figures:
        asked.append(options)
        progress(1, 1)
        error = 0.01 * (options.seed + 1)
        return {"error": error, "standard_error": 0.003, "nearest_1": 0.5, "each": [error]}

    toy = evaluations.Evaluation("Toy", "error", evaluate)
    monkeypatch.setattr(evaluations, "EVALUATIONS", {"minilm": toy})
    return asked


def test_eval_prints_mean_and_worst_and_writes(counted: list[EvalOptions], tmp_path: Path) -> None:
    out, plot = tmp_path / "e.json", tmp_path / "e.svg"
    options = ["--method=kllm", "--method=rtn", "--seeds=3", "--bits-a=3", "--plain"]
    result = invoke("eval", *options, "--json", str(out), "--plot", str(plot))
    assert result.exit_code == 0, result.exception
    assert [(run.method, run.seed) for run in counted] == [
        (name, seed) for name in ("kllm", "rtn") for seed in range(3)
    ]
    assert all((run.bits_a, run.symmetric) == (3, False) for run in counted)
    (kllm_line,) = [line for line in result.stdout.splitlines() if " kllm " in line]
    assert kllm_line.split()[:-1] == [*("kllm", "0.02000", "3", "0.03000", "0.001732", "0.5000")]
    said = json.loads(out.read_text())
    assert [run["error"] for run in said] == pytest.approx([0.01, 0.02, 0.03] * 2)
    assert said[0]["label"] == "kllm"
    assert said[0]["cpu_seconds"] < 1
    assert "<svg" in plot.read_text()


def test_ablation_changes_one_thing_at_a_time(counted: list[EvalOptions]) -> None:
    result = invoke("eval", "--ablation", "--calibration=16", "--bits-a=3", "--seed=4")
    assert result.exit_code == 0, result.exception
    first, *others = counted
    assert (first.recipe, first.calibration, first.bits_a, first.seed) == ("refined", 16, 3, 4)
    changes = [{k: v for k, v in asdict(run).items() if v != asdict(first)[k]} for run in others]
    assert all(len(change) == 1 for change in changes)
    assert {change["recipe"] for change in changes if "recipe" in change} == {*RECIPES} - {
        "refined"
    }
    for change in ({"symmetric": False}, {"outlier_share": 0}, {"calibration": 4}):
        assert change in changes
    assert "scales and codebook stay" in " ".join(result.stdout.split())


def test_curves_vary_one_thing(counted: list[EvalOptions]) -> None:
    assert invoke("curve", "outliers", "--share=0", "--share=0.1").exit_code == 0
    assert [run.outlier_share for run in counted] == [0, 0.1]
    assert invoke("curve", "calibration", "--layers=layer.3").exit_code == 0
    assert all(run.layers == "layer.3" for run in counted[2:])
    assert [run.calibration for run in counted[2:]] == [4, 8, 16, 32, 64]


def test_curves_of_layers_print_and_write(tmp_path: Path) -> None:
    out = tmp_path / "w.json"
    layer = "5.attention.self.query"
    few = ["--layers", layer, "--tokens=8", "--json", str(out)]
    result = invoke("curve", "width", "--from=8", "--to=8", *few)
    assert result.exit_code == 0, result.exception
    assert json.loads(out.read_text())[0]["magnitude_bits"] == 8
    result = invoke("curve", "inputs", *few)
    assert result.exit_code == 0, result.exception
    assert json.loads(out.read_text())[0]["layer"] == f"encoder.layer.{layer}"
    assert "mean" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eval", "--model=mini"], "no model 'mini'; near are minilm"),
        (["eval", "--method=aton"], "no method 'aton'; near are atom"),
        (["eval", "--recipe=papre"], "no recipe 'papre'; near are paper"),
        (["eval", "--outliers=0.7"], "outliers on each side"),
        (["eval", "--seeds=0"], "number of seeds"),
        (["eval", "--ablation", "--method=rtn"], "leave out --method"),
        (["eval", "--model=lm", "--layers=q_proj"], "leave out --layers"),
        (["eval", "--kv=paper"], "leave out --kv"),
        (["eval", "--model=lm", "--kv=papr"], "near are paper"),
        (["eval", "--model=lm", "--kv=paper"], "the paper of kllm keeps keys and values in full"),
        (["eval", "--model=lm", "--method=rtn", "--kv=paper"], "--kv paper is for atom and quarot"),
        (["eval", "--method=rtn", "--plain", "--outliers=0.1"], "leave out --outliers, --plain"),
        (["eval", "--texts=0"], "texts must be at least 1"),
        (["eval", "--layers=layer.9"], "no linear layer of MiniLM has 'layer.9'"),
        (["eval", "--plot=x.gif"], "must end in .png"),
        (["eval", "--bits-a=9"], "activation_bits must be 2, 3, 4, 5 or 8"),
        (["curve", "width", "--from=9", "--to=8"], "must ascend"),
        (["curve", "width", "--layers=nope"], "nope"),
        (["curve", "inputs", "--layers=nope"], "nope"),
        (["curve", "outliers", "--share=0.6"], "outliers on each side"),
    ],
)
def test_nonsense_is_refused(arguments: list[str], said: str) -> None:
    result = invoke(*arguments)
    assert isinstance(result.exception, InputError)
    assert said in str(result.exception)
