"""Training of the language model: its schedule, its order of text, and that losses fall."""

import subprocess
import sys

import numpy as np
import pytest

from golden.models.lm.config import Config
from golden.models.lm.train import (
    BATCH,
    PEAK_RATE,
    WARM_UP,
    batch_windows,
    learning_rate,
    make_optimizer,
    train_step,
)

SMALL = Config(
    vocabulary=40, hidden=24, layers=1, heads=2, kv_heads=2, head_width=12, inner=48, context=16
)


def needs_torch():
    return pytest.importorskip("torch", reason="PyTorch, the extra 'train', is not installed")


def test_the_rate_rises_stays_and_falls() -> None:
    assert learning_rate(0, 1000, 200) == pytest.approx(PEAK_RATE / WARM_UP)
    assert {learning_rate(s, 1000, 200) for s in range(WARM_UP, 800)} == {PEAK_RATE}
    assert learning_rate(900, 1000, 200) == pytest.approx(PEAK_RATE / 2)
    assert learning_rate(999, 1000, 200) == pytest.approx(PEAK_RATE / 200)
    # A longer run begins in the same way, so that one can be made of the other.
    assert [learning_rate(s, 1000, 200) for s in range(800)] == [
        learning_rate(s, 5000, 900) for s in range(800)
    ]


def test_an_epoch_reads_all_of_the_text_once() -> None:
    """Windows of 10 with one token to come; a second epoch has another order."""
    tokens = np.arange(10 * BATCH * 4 + 11)
    steps = [batch_windows(tokens, step, 10) for step in range(4)]
    assert all(windows.shape == (BATCH, 11) for windows in steps)
    starts = np.sort(np.concatenate(steps)[:, 0])
    assert np.diff(starts).min() == 10
    np.testing.assert_array_equal(steps[2], batch_windows(tokens, 2, 10))
    for windows in steps:
        np.testing.assert_array_equal(np.diff(windows, axis=1), 1)
    assert not np.array_equal(batch_windows(tokens, 4, 10), steps[0])


def test_steps_bring_the_loss_down() -> None:
    torch = needs_torch()
    from golden.models.lm.torch_model import LanguageModel

    torch.manual_seed(0)
    model = LanguageModel(SMALL)
    optimizer = make_optimizer(model)
    text = np.tile(np.arange(40), 60)  # what comes next is known
    found = [train_step(model, optimizer, batch_windows(text, s % 8, 16), 1e-2) for s in range(40)]
    assert found[0] == pytest.approx(np.log(40), rel=0.05)
    assert found[-1] < 0.5


def test_help_is_there_without_pytorch() -> None:
    command = [sys.executable, "-m", "golden.models.lm.train", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "--steps" in done.stdout
