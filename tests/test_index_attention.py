"""Attention on indices: equal to the chip's where it is the chip's, and near to real numbers."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from golden.chip import attention_comparison, cache_comparison
from golden.chip.attention_rows import Rows, residual_sums, sums_of
from golden.chip.decoder_file import read_decoder
from golden.chip.index_attention import IndexAttention, Scores, scores_of, spread
from golden.chip.models import DECODER
from golden.chip.real import Kept, RealDecoder
from golden.chip.spread import spread_layer
from golden.chip.value_constants import Added, OfTokens, Paired, PerChannel, PowerOfTwo
from golden.chip.value_scales import Multiplied, coded, in_fp16
from golden.chip.windows import ChipModel, cached, run
from golden.exact.cache_codes import cache_codes
from golden.exact.fp16 import to_bits
from golden.exact.grid import GRID
from golden.models.operations import exact_softmax
from golden.quantise.methods.hadamard import hadamard

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "attention.json"
PAGE = (ROOT / "docs" / "nonlinear.md").read_text(encoding="utf-8")
DECODED = read_decoder(DECODER)
LAYER = DECODED.layers[0]
LENGTH = 40


def heads(seed: int, length: int = LENGTH) -> Kept:
    """Return queries, keys and values (1, 4, T, 64) about as large as the model's."""
    rng = np.random.default_rng(seed)
    query, key, value = rng.normal(size=(3, 1, 4, length, 64)).astype(np.float32)
    sizes = np.exp(rng.normal(size=(1, 4, length, 1)) / 2)
    return Kept(query / 4, key, (value * sizes).astype(np.float32))


def scores(bits: int, seen: Kept) -> Scores:
    return scores_of(DECODED, 0, seen, bits)


def near(found: np.ndarray, wanted: np.ndarray, places: float = 1.0) -> None:
    """Check FP16 patterns: so many last places apart at most, and most of them not at all.

    The chip's short product is up to a third of a place off before it is rounded.
    """
    real, exact = (part.view(np.float16).astype(np.float64) for part in (found, wanted))
    # Just below a power of two places are half as large: that of the larger number counts.
    larger = np.maximum(np.abs(real), np.abs(exact)).astype(np.float16)
    place = np.spacing(larger).astype(np.float64)
    assert (np.abs(real - exact) <= places * place).all()
    assert (found == wanted).mean() > 0.7


def test_scores_are_those_of_the_chip() -> None:
    seen = heads(1)
    found = scores(8, seen)(seen.query, seen.key)
    turn, past = hadamard(64).astype(np.float32), np.tri(LENGTH, dtype=bool)
    for head in range(4):
        offset = LAYER.key_offset.view(np.float16).reshape(4, 64)[head].astype(np.float32)
        key = to_bits(to_bits(seen.key[0, head]).view(np.float16).astype(np.float32) + offset)
        query, key = (spread(x, turn) for x in (to_bits(seen.query[0, head]), key))
        codes, scales = cache_codes(key, LAYER.keys)
        keys = cached(LAYER.keys, codes.T, scales, DECODED.score_outliers)
        near(found[head][past], run(keys, query)[past])
        assert (found[head][~past] == 0xFC00).all()


def test_vectors_are_spread_as_in_the_chip() -> None:
    x = to_bits(heads(6).key[0, 0])
    near(spread(x, hadamard(64).astype(np.float32)), run(spread_layer(64), x))


def test_mixes_are_those_of_the_chip() -> None:
    """First rows too, which have fewer tokens than outliers."""
    seen = heads(2)
    met = scores(8, seen)(seen.query, seen.key)
    values = to_bits(seen.value[0])
    mix = Multiplied(LAYER.values, met, values, 8, DECODED.mix_outliers, in_fp16)
    found, chip = mix(met, values), ChipModel(DECODED)
    for head in range(4):
        codes, scales = cache_codes(values[head], LAYER.values)
        near(found[head], chip._mix(LAYER.values, met[head], codes, scales))


def test_sums_by_hand() -> None:
    """Two inputs and two outputs; the second row of the table is met with a negative sign."""
    table = np.array([[1, 2, 3, 0, 0, 0, 0, 0], [10, 20, 30, 0, 0, 0, 0, 0]], np.float32)
    index, codes = np.array([[[0, 1]]]), np.array([[[0, 1], [8 + 2, 1]]])
    assert sums_of(table, index, codes).tolist() == [[[1 - 30, 2 + 20]]]
    times = np.array([[[2.0, 1.0]]], np.float32)
    assert sums_of(table, index, codes, times).tolist() == [[[2 - 30, 4 + 20]]]
    rows = Rows(GRID, np.arange(8) * 64)
    # A residual of half a scale, of magnitude 2: half of two scales, in units of an eighth.
    residual = residual_sums(rows, np.array([[[512, 0]]]), np.array([[[1, 0]]]), codes)
    assert residual.tolist() == [[[-8, 4]]]


@pytest.mark.parametrize("bits", [4, 5])
def test_entries_are_nearest(bits: int) -> None:
    found = scores(bits, heads(3)).rows
    assert len(found.centroids) == 2**bits
    exact = np.outer(found.centroids / 1024, found.magnitudes / 64)
    np.testing.assert_allclose(found.table()[:-1] * found.unit, exact, atol=found.unit * 0.51)
    assert np.abs(found.table()).max() == 511
    assert not found.table()[-1].any()


WAYS = {
    "rows of 8 bits": partial(Multiplied, bits=8, outliers=4),
    "rows of 5 bits": partial(Multiplied, bits=5, outliers=4),
    "rows of 4 bits": partial(Multiplied, bits=4, outliers=4),
    "channels": partial(PerChannel, heads=4),
    "powers of two": PowerOfTwo,
    "groups": OfTokens,
    "added": Added,
    "paired": Paired,
}
# Relative errors of mixes of the values below, which all have been about a third smaller.
LIMITS = {"channels": 0.35, "paired": 0.25, "groups": 0.3, "powers of two": 0.2}


@pytest.mark.parametrize("way", WAYS)
def test_mixes_are_near_to_real_ones(way: str) -> None:
    seen = heads(4)
    met = scores(8, seen)(seen.query, seen.key)
    values = to_bits(seen.value[0])
    found = WAYS[way](LAYER.values, met, values)(met, values).view(np.float16).astype(float)
    wanted = exact_softmax(met.view(np.float16).astype(float)) @ seen.value[0]
    off = np.sqrt(((found - wanted) ** 2).mean() / (wanted**2).mean())
    assert 0.01 < off < LIMITS.get(way, 0.16)


@pytest.mark.parametrize("way", ["added", "paired", "rows of 8 bits"])
def test_a_single_token_gives_its_value(way: str) -> None:
    """Softmax of one score is 1, so the first mix is what codes of the first value stand for."""
    seen = heads(5)
    met = scores(8, seen)(seen.query, seen.key)
    values = to_bits(seen.value[0])
    found = WAYS[way](LAYER.values, met, values)(met, values)[:, 0].view(np.float16).astype(float)
    codes, scales = coded(values, LAYER.values)
    sizes = LAYER.values.centroids[codes & 7] / 64 * np.where(codes >> 3, -1, 1)
    wanted = (sizes * scales[..., None])[:, 0]
    step = {"paired": 0.3, "added": 0.005}.get(way, 0.04)  # entries of a single row are small
    assert np.abs(found - wanted).max() < step * np.abs(wanted).max()


def test_a_model_with_it_runs() -> None:
    """A layer's attention stands in for that in real numbers, and changes logits a little."""
    text = np.random.default_rng(1).integers(0, 2048, (1, 24))
    seen: list[Kept] = []

    def watch(layer, query, key, value):
        seen.append(Kept(query, key, value))
        return seen[-1]

    whole = RealDecoder(DECODED, watch).logits(text)
    attend = IndexAttention(DECODED, seen, 8, partial(Multiplied, bits=8, outliers=4))
    found = RealDecoder(DECODED, attend=attend).logits(text)
    off = np.sqrt(((found - whole) ** 2).mean() / whole.var())
    assert 0.01 < off < 0.2


def test_page_shows_what_is_kept() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    known = [kind.told() for kind in attention_comparison.kinds(DECODED)]
    parts = ("softmax", "queries", "scale")
    found = [{part: row[part] for part in parts} for row in rows]
    assert found == [one for one in known if one in found]
    call = ["operations", "attention", "--from", str(KEPT)]
    shown = CliRunner().invoke(kllm.app.build_app(), [*call, "--markdown"]).output
    assert shown.strip() == attention_comparison.markdown(rows).strip()
    assert shown.strip() in PAGE


def test_what_is_done_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of as many windows are taken as they are; others are measured."""

    def windows(seed: int, count: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 2048, (count, 8))

    for name in ("calibration_windows", "held_out_windows"):
        monkeypatch.setattr(cache_comparison, name, windows)
    asked: list[str] = []

    def made(label: str):
        return {"label": label}, lambda seen: asked.append(label) or RealDecoder(DECODED)

    done = [{"label": "a", "seeds": 1, "texts": 2, "increase": 7.0}]
    done.append(done[0] | {"label": "b", "texts": 3})
    rows = cache_comparison.measure(
        DECODED, [made("a"), made("b")], lambda *_: None, seeds=range(1), texts=2, done=done
    )
    assert asked == ["b"]
    assert [row["increase"] for row in rows] == [7, 0]


def test_attention_is_within_its_bounds() -> None:
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    four = next(row for row in rows if row["queries"] == "4 bits")
    assert four["softmax"] == "indices"
    assert four["increase"] <= 0.15
    assert all(row["standard_error"] <= 0.01 for row in rows if row["seeds"] == 3)
