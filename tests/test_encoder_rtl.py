"""Encoders on the chip's Verilog: hidden states, and whole memories, against golden."""

import numpy as np
import pytest

from golden.chip.encoder_file import read_encoder
from golden.chip.instruction import Op
from golden.chip.models import ENCODER
from golden.models.minilm import MiniLM
from golden.models.text import evaluation_texts
from sim.chip.embed import EmbedOptions, embed, prepare
from sim.chip.embed_report import Vector, summary
from sim.chip.encoder_layer import run_encoder_layer
from sim.harness.chip_run import MemoryModel
from sim.kit.random_encoder import TINY, random_encoder
from tests.test_encoder import LEAST_COSINE

NAME = "chip_tiny"
STALLS = MemoryModel(stall=0.3, latency=3, seed=5)


@pytest.mark.parametrize("memory", [MemoryModel(), STALLS], ids=["free", "stalls"])
def test_made_up_texts(memory: MemoryModel) -> None:
    rng = np.random.default_rng(9)
    ready = prepare(random_encoder(rng), EmbedOptions(chip=NAME, memory=memory))
    for count in (1, 2, 5, TINY.context):
        found = embed(ready, rng.integers(0, TINY.vocabulary, count).tolist())
        assert found.mismatches == 0
        assert found.hidden.shape == (count, TINY.hidden)
        assert found.cycles > 0


def test_a_whole_layer() -> None:
    encoder = random_encoder(np.random.default_rng(3))
    found = run_encoder_layer(encoder, 1, [2, 7, 1], EmbedOptions(chip=NAME))
    assert (found.other_bytes, found.first_wrong) == (0, "")
    assert {one.op for one in found.vectors} >= {Op.LINEAR, Op.ADD, Op.POWERS, Op.GATE}
    assert all(one.name.startswith("layer.1.") for one in found.vectors)


@pytest.mark.slow
def test_minilm_on_its_chip() -> None:
    model = MiniLM()
    tokens = model.tokens(evaluation_texts(0, 1)[0])[:12]
    options = EmbedOptions()
    found = embed(prepare(read_encoder(ENCODER, model), options), tokens)
    assert found.mismatches == 0
    figures = summary([Vector("", found, model.embed_tokens(tokens))], options)
    assert figures["cosine_least"] >= LEAST_COSINE
