"""What runs a layer on an engine: its words, its memory images, its cycles."""

from pathlib import Path

import numpy as np
import pytest

from gateware.engines.kinds import engine, engine_of, is_engine
from gateware.points import CATALOGUE, point
from golden.base.errors import InputError
from golden.exact.mapping import index_code
from hw.fp16.fp16_fma import Fp16Fma
from sim.kit.random_layer import random_layer

NAMES = [name for name, made in CATALOGUE.items() if is_engine(made)]
BASELINE = Path(__file__).parents[1] / "synth" / "baseline.json"


def test_engines_of_the_catalogue() -> None:
    assert {"tiny", "counter_small_symmetric", "counter_fp16_small"} <= set(NAMES)
    assert not {"lookup_array", "count_tree", "fp16_fma"} & set(NAMES)
    with pytest.raises(TypeError, match="Fp16Fma runs no layer"):
        engine_of(Fp16Fma(pipelined=True))


def codes_of(word: int, count: int) -> list[int]:
    return [word >> 4 * n & 15 for n in range(count)]


def test_a_lookup_engine_is_answered_by_input_channels() -> None:
    contract = engine(point("tiny_symmetric").spec)
    numbers = contract.spec.numbers
    layer = random_layer(np.random.default_rng(1), numbers, inputs=7, outputs=6, k_top=1)
    (image,) = contract.memory_images(layer)
    code = index_code(layer.w_index.astype(np.int64), 16, symmetric=True)
    word = image.word({"tile": 1, "channels": [3, 6, 0, 7]})  # channel 7 is beyond the layer
    expected = [*code[3, 4:], 0, 0, *code[6, 4:], 0, 0, *code[0, 4:], 0, 0, 0, 0, 0, 0]
    assert codes_of(word, 16) == expected


@pytest.mark.parametrize("name", ["counter_small", "counter_fp16_small"])
def test_a_counter_engine_is_answered_by_columns_and_rows(name: str) -> None:
    contract = engine(point(name).spec)
    numbers = contract.spec.numbers
    layer = random_layer(np.random.default_rng(2), numbers, inputs=40, outputs=18, k_top=1)
    columns, rows = contract.memory_images(layer)
    # 4 lines of 32 pairs: of tile 4 there are two channels, and 8 inputs in its second beat.
    word = codes_of(columns.word({"tile": 4, "address": 1}), 4 * 32)
    beat = np.zeros((4, 32), int)
    beat[:2, :8] = layer.w_index[32:, 16:].T
    assert word == beat.ravel().tolist()
    # Groups of 16 output channels.
    word = codes_of(rows.word({"group": 1, "channel": 39}), 16)
    assert word == [*layer.w_index[39, 16:], *[0] * 14]


@pytest.mark.parametrize("name", NAMES)
def test_words_fit_the_engine_s_port(name: str) -> None:
    contract = engine(point(name).spec)
    spec = contract.spec
    layer = random_layer(np.random.default_rng(3), spec.numbers, inputs=20, outputs=9, k_top=1)
    words = contract.load_words(layer)
    addresses = [(word["select"], word["address"]) for word in words]
    assert len(set(addresses)) == len(words)
    assert all(0 <= word["word"] < 1 << spec.channel.size for word in words)
    beats = list(contract.activation_beats(np.full((2, 20), 0x3C00, np.uint16)))
    assert len(beats) == 2 * -(-20 // spec.inputs_per_beat)
    assert beats[0] & 0xFFFF == 0x3C00


@pytest.mark.parametrize(
    ("design", "size", "said"),
    [
        ("tiny", (300, 5, 1), "300 inputs; .* at most 64: choose --design .*minilm"),
        ("small_symmetric", (5, 300, 1), "300 output .* choose --design .*minilm_symmetric"),
        ("tiny", (64, 64, 8), "8 outliers on each side; .* 4: choose --design .* or small or "),
        (
            "minilm",
            (1536, 384, 31),
            "31 outliers .* 16: no design takes more than 16; keep a small",
        ),
        ("minilm", (5000, 384, 1), "5000 inputs; .* 1536: no design takes so large a layer; give"),
    ],
)
def test_what_is_too_large_is_told_where_it_fits(
    design: str, size: tuple[int, int, int], said: str
) -> None:
    inputs, outputs, k_top = size
    with pytest.raises(InputError, match=said) as refused:
        engine(point(design).spec).require_size(inputs=inputs, outputs=outputs, k_top=k_top)
    assert ("_symmetric" in str(refused.value)) == design.endswith("_symmetric")


def test_the_slowest_stage_says_how_often_tokens_come() -> None:
    lookup = engine(point("tiny").spec).cycles(64, 64, 0)
    assert lookup.interval == lookup.main == 16 * 16
    # 17 entries of a residual row for each of 8 outliers, one after another, for a single tile.
    few = engine(point("tiny").spec).cycles(64, 4, 4)
    assert few.interval == few.quantise > 8 * 17 > few.main
    counter = engine(point("counter_small").spec).cycles(32, 256, 8)
    assert counter.main == 64 * 8
    assert counter.interval == counter.main > counter.compensation == 16 * 16


def test_products_of_a_cycle_by_hand() -> None:
    assert engine(point("tiny").spec).multiply_accumulates == 4 * 4
