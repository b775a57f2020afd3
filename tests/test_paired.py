"""Standard errors: of perplexities of the same windows, by hand and by drawing; what is printed."""

import math
from dataclasses import replace

import numpy as np
import pytest

import golden.accuracy.lm_eval as lm_eval
from golden.accuracy.evaluations import EVALUATIONS, Evaluation
from golden.accuracy.figures import Runs, error_of_mean, number, print_bits, print_figures
from golden.accuracy.minilm_eval import agreement, difference
from golden.accuracy.options import EvalOptions
from golden.models.lm import corpus
from golden.models.lm.corpus import calibration_windows, held_out_windows
from golden.models.lm.model import LanguageModel
from golden.models.lm.perplexity import paired_error, perplexity

LM = EVALUATIONS["lm"]


def test_paired_error_by_hand() -> None:
    """One window of two loses 2 a: the perplexity is e**a, the other 1, their difference unsure."""
    a = 0.3
    found = paired_error(np.array([0, 2 * a]), np.zeros(2))
    assert found == pytest.approx(a * math.exp(a))
    assert paired_error(np.full(5, 2.0), np.full(5, 1.0)) == 0
    assert paired_error(np.ones(1), np.ones(1)) == math.inf


def test_paired_error_is_how_far_draws_differ() -> None:
    """Windows are far more unlike than what a method loses on them."""
    rng = np.random.default_rng(0)
    whole = rng.normal(2.5, 0.5, size=20000)
    found = whole + rng.normal(0.02, 0.05, size=20000)
    draws = rng.choice(20000, size=(400, 100))
    increases = [perplexity(found[d]) - perplexity(whole[d]) for d in draws]
    errors = [paired_error(found[d], whole[d]) for d in draws]
    assert np.mean(errors) == pytest.approx(np.std(increases), rel=0.15)
    alone = [perplexity(found[d]) for d in draws]
    assert np.mean(errors) < 0.2 * np.std(alone)


def test_error_of_sentence_vectors_by_hand() -> None:
    """Losses of 0 and 0.4: 0.2 in the mean, and 0.2 beside it."""
    exact = np.array([[1, 0], [1, 0]], np.float32)
    found = agreement(np.array([[1, 0], [0.6, 0.8]], np.float32), exact)
    assert found["error"] == pytest.approx(0.2)
    assert found["standard_error"] == pytest.approx(0.2)
    assert agreement(exact[:1], exact[:1])["standard_error"] == math.inf
    # Another that loses 0.1 more on each text: that much, for certain.
    worse = {"losses": [loss + 0.1 for loss in found["losses"]]}
    assert difference(worse, found) == pytest.approx((0.1, 0))
    assert difference({"losses": [0.3, 0.3]}, found) == pytest.approx((0.1, 0.2))


@pytest.fixture
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a method in place that quantises nothing, and needs no text for it."""
    monkeypatch.setattr(lm_eval, "calibration_windows", lambda *_: None)
    monkeypatch.setattr(lm_eval, "quantised_model", lambda model, *_: model)


def test_each_seed_draws_its_own_windows(unchanged: None) -> None:
    found = [
        lm_eval.evaluate(EvalOptions(seed=seed, texts=2, calibration=1), lambda *_: None)
        for seed in (0, 1, 0)
    ]
    assert found[0] == found[2] != found[1]
    for run in found:
        assert run["increase"] == run["standard_error"] == 0
        assert run["perplexity"] == run["fp32"] == pytest.approx(math.exp(np.mean(run["losses"])))
        assert len(run["losses"]) == 2
    assert not set(found[0]["losses"]) & set(found[1]["losses"])


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put numbers in place of text, which takes long to read: those held out are below 1000."""

    def windows(*, held_out: bool) -> np.ndarray:
        return np.arange(600 if held_out else 9000)[:, None] + (0 if held_out else 1000)

    monkeypatch.setattr(corpus, "_all_windows", windows)


def rows(windows: np.ndarray) -> set[bytes]:
    return {window.tobytes() for window in windows}


def test_windows_are_held_out_or_for_tuning(sides: None) -> None:
    """By default no window of training text; for tuning such as do not calibrate."""
    seed = 2
    options = EvalOptions(seed=seed, texts=40, calibration=24)
    measured = rows(lm_eval._measured(options))
    assert measured == rows(held_out_windows(seed, 40))
    assert not measured & rows(calibration_windows(seed, 9000))
    assert len(measured & rows(held_out_windows(seed + 1, 40))) < 10
    tried = rows(lm_eval._measured(replace(options, tuning=True)))
    assert len(tried) == 40
    assert tried <= rows(calibration_windows(seed, 64))
    assert not tried & rows(calibration_windows(seed, 24))


def test_the_language_model_tunes_on_training_text(sides: None) -> None:
    model = LanguageModel.load()
    unseen, tuning = (model.text_to_run(2, 600, None, tuning=t) for t in (False, True))
    training = {w.tobytes() for w in calibration_windows(2, 11)}
    assert not {row.tobytes() for row in unseen} & {
        w.tobytes() for w in calibration_windows(2, 9000)
    }
    assert {row.tobytes() for row in tuning} <= training
    assert len(model.calibration_text(2, tuning)) == 8, "none of them calibrates"


def runs(label: str, *losses: list[float]) -> Runs:
    """Return runs of several seeds, as they are kept."""
    whole = [np.zeros(len(one)) for one in losses]
    return [
        {"label": label, "method": label, "bits_w": 4, "bits_a": 4, "seed": seed}
        | {"increase": perplexity(np.array(one)) - 1}
        | {"standard_error": paired_error(np.array(one), whole[seed])}
        | {"perplexity": perplexity(np.array(one)), "losses": one}
        for seed, one in enumerate(losses)
    ]


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    lines = (line.split() for line in capsys.readouterr().out.splitlines())
    return {line[0]: line[1:] for line in lines if line}


def test_tables_have_two_places_and_paired_errors(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seeds; the second method loses 0.1 more on each window, so that is nearly sure."""
    monkeypatch.setenv("COLUMNS", "160")
    ours = [[0.0, 0.2, 0.4], [0.1, 0.2, 0.3]]
    other = [[loss + 0.1 for loss in one] for one in ours]
    first, second = runs("kllm", *ours), runs("atom", *other)
    print_figures(LM, first + second)
    found = printed(capsys)
    error = math.hypot(*(run["standard_error"] for run in first)) / 2
    assert found["kllm"] == ["0.22", "2", "0.22", f"{error:.2f}", "1.22"]
    over = math.exp(0.3) - math.exp(0.2)
    assert found["atom"][4:7] == [f"{over:.2f}", "±", "0.01"]
    print_bits(LM, first[:1] + second[:1])
    assert printed(capsys)["kllm"] == ["0.22", "±", f"{first[0]['standard_error']:.2f}"]


def test_one_method_is_over_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    print_figures(LM, runs("kllm", [0.0, 0.2]))
    assert "over kllm" not in capsys.readouterr().out
    toy = Evaluation("Toy", "increase", LM.evaluate)
    print_figures(toy, runs("kllm", [0.0, 0.2]) + runs("rtn", [0.0, 0.4]))
    assert "over kllm" not in capsys.readouterr().out


def test_errors_of_means_and_places() -> None:
    assert error_of_mean([3.0, 4.0]) == 2.5
    assert [number(0.012345), number(0.012345, 2), number(13.126, 2)] == [
        "0.01235",
        "0.01",
        "13.13",
    ]
