"""Ways to keep keys and values: what each keeps, what it takes, and that the page shows it."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from golden.chip import cache_comparison
from golden.chip.cache_comparison import compare, markdown
from golden.chip.cache_kinds import Kind, kinds, kivi_bits, seen_heads
from golden.chip.decoder_file import read_decoder
from golden.chip.models import DECODER
from golden.chip.real import Kept, RealDecoder, exact
from golden.exact import fp16
from golden.exact.cache_codes import cache_codes, scale_of
from golden.models.lm.perplexity import losses, paired_error, perplexity

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "caches.json"
PAGE = (ROOT / "docs" / "chip.md").read_text(encoding="utf-8")
DECODED = read_decoder(DECODER)


def heads(length: int = 48) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return queries, keys and values (1, 4, T, 64), a few dimensions of keys large."""
    rng = np.random.default_rng(2)
    query, key, value = rng.normal(size=(3, 1, 4, length, 64)).astype(np.float32)
    key *= np.where(np.arange(64) % 16, 1, 6).astype(np.float32)
    return query, key, value


def kind(start: str) -> Kind:
    """Return the first kind whose label begins so."""
    return next(one for one in kinds(DECODED) if one.label.startswith(start))


def kept(start: str) -> Kept:
    """Return what such a kind keeps of the heads, calibrated on themselves."""
    return kind(start).make([Kept(*heads())] * 4)(0, *heads())


def errors(start: str) -> tuple[float, float]:
    """Return the relative errors of products with queries, and of values."""
    query, key, value = heads()
    found = kept(start)
    scores, wanted = found.query @ found.key.swapaxes(2, 3), query @ key.swapaxes(2, 3)
    # What is added to all scores of a row changes nothing.
    lost = scores - wanted
    lost -= lost.mean(axis=-1, keepdims=True)
    return float(lost.std() / wanted.std()), float((found.value - value).std() / value.std())


def test_page_shows_what_is_kept() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    known = {one.label: round(one.bits, 4) for one in kinds(DECODED)}
    assert {row["label"]: row["bits"] for row in rows}.items() <= known.items()
    shown = (
        CliRunner()
        .invoke(kllm.app.build_app(), ["caches", "--from", str(KEPT), "--markdown"])
        .output
    )
    assert shown.strip() == markdown(rows)
    assert markdown(rows) in PAGE


def test_the_cache_of_the_chip_is_within_its_bound() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    own = rows[0]
    assert own["label"] == "as the chip keeps them"
    assert own["bits"] <= 5
    assert own["increase"] <= 0.07
    assert own["standard_error"] <= 0.01


@pytest.mark.parametrize(
    ("start", "scores", "values"),
    [
        ("K-Means 4 bits, mean off, 0", 0.14, 0.12),
        ("K-Means 4 bits, mean off, 2", 0.11, 0.11),
        ("K-Means 4 bits, mean off, keys", 0.11, 0.12),
        ("K-Means 2 bits, mean off, 2", 0.35, 0.35),
        ("INT4", 0.22, 0.12),
        ("QuaRot INT4", 0.13, 0.13),
        ("KIVI 4", 0.1, 0.1),
    ],
)
def test_kinds_are_as_near_as_their_bits_allow(start: str, scores: float, values: float) -> None:
    found = errors(start)
    assert scores / 2 < found[0] < scores
    assert values / 2 < found[1] < values


def test_outliers_are_kept_as_they_are() -> None:
    _, key, value = heads()
    found = kept("K-Means 3 bits, mean off, 2")
    moved = key - key.mean(axis=(0, 2), keepdims=True)
    assert (np.isclose(found.key, moved, atol=1e-6).sum(axis=-1) >= 2).all()
    largest = np.abs(value).argmax(axis=-1, keepdims=True)
    both = [np.take_along_axis(x, largest, -1) for x in (value, found.value)]
    assert np.array_equal(both[0], both[1])


def test_the_last_tokens_of_kivi_are_in_fp16() -> None:
    found = kept("KIVI 4 bits, last 32")
    assert found.recent
    _, _, keys, values = found.recent
    # Behind 40 tokens, 32 keys have been put on grids, and all but the last 32 values.
    assert np.flatnonzero(keys[39, :40]).tolist() == [*range(32, 40)]
    assert np.flatnonzero(values[39, :40]).tolist() == [*range(8, 40)]
    assert not keys[31, :32].any()
    assert np.array_equal(found.key[:, :, 32:], heads()[1][:, :, 32:])


def test_bits_by_hand() -> None:
    assert kind("as the chip").bits == 4.25
    assert kind("K-Means 3 bits, mean off, 2").bits == pytest.approx(3.25 + 1.5 * 22 / 64)
    assert kind("INT4").bits == kind("QuaRot INT4").bits == 4.5
    # One token: its key is on a grid, its value in FP16. Two: one value of two.
    assert kivi_bits(4, 1, 1) == pytest.approx((5 + 16) / 2)
    assert kivi_bits(4, 1, 2) == pytest.approx((5 + 16 + 2 * 5 + 16 + 5) / 2 / 3)


def test_the_kind_of_the_chip_is_its_cache() -> None:
    value, form = heads()[2], DECODED.layers[0].values
    codes, scales = cache_codes(fp16.to_bits(value.reshape(-1, 64)), form)
    sizes = form.centroids[codes & 7] / 64 * scale_of(scales, 0).value()[:, None]
    wanted = np.where(codes >> 3, -sizes, sizes)
    found = kept("as the chip").value.reshape(-1, 64)
    assert np.isclose(found, wanted, rtol=2**-9).mean() > 0.98  # the rest is next to a threshold


def test_rows_are_means_over_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One kind loses nothing; one forgets all keys, so that all tokens count alike."""

    def forgetful(layer, query, key, value):
        return exact(layer, query, 0 * key, value)

    def windows(seed: int, count: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 2048, (count, 12))

    found = [Kind("all", 16, lambda seen: exact), Kind("none", 8, lambda seen: forgetful)]
    monkeypatch.setattr(cache_comparison, "kinds", lambda decoder: found)
    for name in ("calibration_windows", "held_out_windows"):
        monkeypatch.setattr(cache_comparison, name, windows)
    told: list[tuple[int, int]] = []
    rows = compare(DECODED, lambda rows, of: told.append((len(rows), of)), seeds=range(2), texts=3)
    assert told == [(1, 2), (2, 2)]
    assert (rows[0]["increase"], rows[0]["standard_error"]) == (0, 0)
    models = RealDecoder(DECODED, forgetful), RealDecoder(DECODED)
    pairs = [[losses(model, windows(seed, 3)) for model in models] for seed in range(2)]
    over = [perplexity(one) - perplexity(other) for one, other in pairs]
    assert rows[1]["increase"] == pytest.approx(np.mean(over))
    errors = [paired_error(*pair) for pair in pairs]
    assert rows[1]["standard_error"] == pytest.approx(np.hypot(errors[0], errors[1]) / 2)
    assert (rows[1]["seeds"], rows[1]["texts"], rows[1]["bits"]) == (2, 3, 8)


def test_calibration_sees_heads_of_each_layer() -> None:
    seen = seen_heads(DECODED, np.arange(20).reshape(1, 20))
    assert [layer.key.shape for layer in seen] == [(1, 4, 20, 64)] * 4
    assert not np.array_equal(seen[0].key, seen[1].key)
