"""Encoders in golden: what they add to the machine by hand, whole texts, MiniLM's vectors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app
from golden.base.errors import InputError
from golden.chip.encoder import mean_layer
from golden.chip.encoder_compiler import compile_encoder
from golden.chip.encoder_file import encoder_bytes, read_encoder
from golden.chip.encoder_model import EncoderModel, pooled
from golden.chip.instruction import Index, Instruction, Op
from golden.chip.machine import Machine
from golden.chip.models import ENCODER
from golden.chip.rules import FaultError
from golden.exact.fp16 import BitArray, to_bits
from golden.exact.linear import forward
from golden.exact.norms import factor_number
from golden.exact.token_scale import Scale
from golden.models.minilm import MiniLM
from golden.models.text import evaluation_texts, everyday_texts, texts_from_file
from sim.kit.random_encoder import TINY, random_encoder
from tests.test_chip import SHAPE, halves

GELU = replace(SHAPE, gelu=True)
LEAST_COSINE = 0.97
SENTENCES = Path(__file__).resolve().parent.parent / "docs" / "sentences.txt"


def ran(*program: Instruction, memory: bytes, known: int = 1) -> Machine:
    """Return the machine that has run a program once, behind a memory of whole words."""
    code = b"".join(one.pack() for one in (*program, Instruction(op=Op.NEXT, address=0)))
    machine = Machine(GELU, memory + code)
    machine.run(len(memory), known)
    return machine


def test_scalars_by_hand() -> None:
    # Less 3 is -2, -1, 0; times 1 / root(4 + 1 + 0 - 1 more squares), a quarter, and then GELU.
    memory = halves(1, 2, 3, 0).tobytes() + halves(*[2.0] * 4).tobytes() + bytes(48)
    machine = ran(
        Instruction(op=Op.LOAD, d=0, count=3, address=0),
        Instruction(op=Op.LOAD, d=1, count=4, address=8),
        Instruction(op=Op.LARGEST, a=0, count=3),
        Instruction(op=Op.ADD, a=0, d=2, count=3, scaled=True),
        Instruction(op=Op.ROOT, a=1, count=4),
        Instruction(op=Op.MULTIPLY, a=2, d=3, count=3, scaled=True),
        Instruction(op=Op.GATE, a=2, d=4, count=3, scaled=True),
        memory=memory,
    )
    found = machine.vectors.view(np.float16).astype(float)
    assert found[8:11].tolist() == [-2, -1, 0]
    assert found[12:15].tolist() == [-0.5, -0.25, 0]
    np.testing.assert_allclose(found[16:19], [-0.0455, -0.1587, 0], atol=1e-4)


def test_what_is_whole_goes_by_the_last_known_token() -> None:
    memory = halves(*range(32)).tobytes()
    rows = {"address": 0, "index": Index.POSITION, "stride": 8, "grows": True}
    machine = ran(
        Instruction(op=Op.LOAD, d=0, **rows, whole=True),
        Instruction(op=Op.LOAD, d=4, **rows),
        memory=memory,
        known=3,
    )
    found = machine.vectors.view(np.float16)
    assert found[:4].tolist() == [8, 9, 10, 0]  # three numbers, of the third row
    assert found[16:20].tolist() == [0, 0, 0, 0]


def test_a_factor_as_a_number() -> None:
    exponents = np.arange(-40, 33)
    for mantissa in (1024, 1365, 2047):
        factor = Scale(np.full_like(exponents, mantissa), exponents)
        found = factor_number(factor).view(np.float16).astype(np.float64)
        exact = factor.value()
        exact[exact < 2.0**-14] = 0
        exact[exact >= 2.0**16] = np.inf
        np.testing.assert_array_equal(found, exact)


def test_chips_without_gelu_refuse_it() -> None:
    one = Instruction(op=Op.GATE, a=0, d=0, count=1, scaled=True)
    with pytest.raises(FaultError, match="no GELU"):
        Machine(SHAPE, b"").check(one)
    Machine(SHAPE, b"").check(replace(one, scaled=False))
    with pytest.raises(InputError, match="such as chip_encoder"):
        compile_encoder(random_encoder(np.random.default_rng(0)), SHAPE)


def test_an_encoder_that_does_not_fit_is_refused() -> None:
    wide = random_encoder(np.random.default_rng(0), replace(TINY, heads=8))
    with pytest.raises(InputError, match="heads must be whole beats"):
        compile_encoder(wide, GELU)
    long = random_encoder(np.random.default_rng(0), replace(TINY, context=128))
    with pytest.raises(InputError, match="words of the vector memory"):
        compile_encoder(long, GELU)


def test_norms_are_close_to_real_ones() -> None:
    rng = np.random.default_rng(0)
    encoder = random_encoder(rng, replace(TINY, hidden=64, heads=8))
    x = rng.normal(size=(20, 64)) * rng.uniform(0.1, 10, (20, 1)) + rng.normal(size=(20, 1))
    bits = to_bits(x)
    found = EncoderModel(encoder).normed(encoder.norm, bits).view(np.float16).astype(float)
    real = bits.view(np.float16).astype(float)
    centred = real - real.mean(axis=1, keepdims=True)
    gain, shift = (
        part.view(np.float16).astype(float) for part in (encoder.norm.gain, encoder.norm.shift)
    )
    exact = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True)) * gain + shift
    assert np.abs(found - exact).max() < 0.02
    mean = forward(mean_layer(64), bits).y.view(np.float16)[:, 0]
    assert np.abs(mean - real.mean(axis=1)).max() < 0.01 * np.abs(real).mean(axis=1).max()


@pytest.mark.parametrize("count", [1, 2, 7])
def test_whole_texts_are_what_the_machine_makes(count: int) -> None:
    encoder = random_encoder(np.random.default_rng(count))
    tokens = np.random.default_rng(count).integers(0, TINY.vocabulary, count)
    assert np.array_equal(by_machine(encoder, tokens), EncoderModel(encoder).hidden(tokens))


def by_machine(encoder, tokens: np.ndarray) -> BitArray:
    """Return the last hidden states of a text, as programs of the machine make them."""
    compiled = compile_encoder(encoder, GELU)
    memory = compiled.with_tokens(tokens.tolist())
    for program in compiled.programs:
        machine = Machine(GELU, memory)
        for _ in tokens:
            machine.run(program, len(tokens))
        memory = machine.memory.tobytes()
    return compiled.hidden(np.frombuffer(memory, np.uint8), len(tokens), encoder.shape)


def test_pooling_by_hand() -> None:
    # The mean of (1, 2) and (5, -10) is (3, -4).
    np.testing.assert_allclose(pooled(to_bits(np.array([[1.0, 2], [5, -10]]))), [0.6, -0.8])


def cosine(model: MiniLM, encoder: EncoderModel, tokens: list[int]) -> float:
    vector = pooled(encoder.hidden(np.array(tokens)))
    return float(vector @ model.embed_tokens(tokens))


@pytest.mark.parametrize("text", [evaluation_texts(0, 1)[0], texts_from_file(SENTENCES)[0]])
def test_minilm_is_close_to_full_precision(text: str) -> None:
    model = MiniLM()
    encoder = EncoderModel(read_encoder(ENCODER, model))
    assert cosine(model, encoder, model.tokens(text)[:12]) >= LEAST_COSINE


@pytest.mark.slow
def test_minilm_is_close_to_full_precision_on_twelve_texts() -> None:
    model = MiniLM()
    encoder = EncoderModel(read_encoder(ENCODER, model))
    for texts in (evaluation_texts(0, 12), texts_from_file(SENTENCES)):
        found = [cosine(model, encoder, model.tokens(text)) for text in texts]
        assert len(found) == 12
        assert min(found) >= LEAST_COSINE


def test_sentences_that_calibrate_are_no_others() -> None:
    calibrating = everyday_texts()
    assert len(calibrating) == len(set(calibrating)) == 512
    assert all(5 <= len(text.split()) <= 25 for text in calibrating)
    assert not set(calibrating) & set(texts_from_file(SENTENCES))


def test_an_encoder_survives_its_file(tmp_path) -> None:
    model = MiniLM()
    encoder = read_encoder(ENCODER, model)
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(encoder_bytes(encoder, {}))
    other = read_encoder(path, model)
    for name, layer in encoder.linears().items():
        assert np.array_equal(layer.w_index, other.linears()[name].w_index)
    for one, two in zip(encoder.layers, other.layers, strict=True):
        assert np.array_equal(one.keys.thresholds, two.keys.thresholds)
        assert one.values.factor == two.values.factor
    path.write_bytes(b"x" * 100)
    with pytest.raises(InputError, match="no MiniLM in the chip's numbers"):
        read_encoder(path, model)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("run", "--encoder-layer", "6"), "the encoder's layers are 0 to 5, got 6"),
        (("run", "--encoder-layer", "0", "--tokens", "0"), "a text has 1 to 512 tokens, got 0"),
        (("run", "--encoder-layer", "0", "--symmetric"), "leave out --symmetric"),
        (("run", "--encoder-layer", "0", "--decoder-layer", "0"), "give one of them"),
        (("embed", "--simulator", "icarus"), "icarus"),
        (("embed", "--simulator", "golden", "--chip", "chip_edge"), "such as chip_encoder"),
    ],
)
def test_commands_refuse(options: tuple[str, ...], text: str) -> None:
    result = CliRunner().invoke(kllm.app.build_app(), [*options])
    assert isinstance(result.exception, InputError)
    assert text in str(result.exception)
