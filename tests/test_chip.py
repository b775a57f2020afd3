"""The golden machine: single instructions by hand, and whole decoders against real numbers."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.base.errors import InputError
from golden.chip.compiler import compile_decoder
from golden.chip.decoder import Decoder
from golden.chip.decoder_file import decoder_bytes, read_decoder
from golden.chip.fit import fit_cache, times
from golden.chip.instruction import LAYOUT, Index, Instruction, Op, disassemble
from golden.chip.machine import Machine
from golden.chip.models import DECODER
from golden.chip.real import RealDecoder
from golden.chip.shape import ChipShape
from golden.chip.windows import ChipModel
from golden.exact.cache_codes import CacheFormat, cache_codes
from golden.exact.token_scale import ScaleFactor
from golden.models.lm.model import LanguageModel
from sim.kit.random_decoder import TINY, random_decoder

SHAPE = ChipShape(
    inputs_per_beat=4,
    output_lanes=4,
    bus_bytes=8,
    vector_words=64,
    inputs_max=64,
    outputs_max=64,
    outliers_max=4,
    tokens_together=4,
)
LARGE = replace(
    SHAPE,
    **{"inputs_per_beat": 16, "output_lanes": 64, "bus_bytes": 128, "vector_words": 256},
    **{"inputs_max": 768, "outputs_max": 768, "outliers_max": 16},
)


def halves(*values: float) -> np.ndarray:
    return np.array(values, np.float16).view(np.uint16)


def machine(*program: Instruction, memory: bytes = bytes(64)) -> Machine:
    """Return a machine with this program behind a memory."""
    code = b"".join(one.pack() for one in (*program, Instruction(op=Op.NEXT, address=0)))
    return Machine(SHAPE, memory + code)


@given(st.data())
def test_instruction_survives_packing(data: st.DataObject) -> None:
    fields = {
        name: data.draw(st.integers(0, (1 << bits) - 1))
        for name, (_, bits) in LAYOUT.items()
        if name not in ("op", "index") and bits > 1
    }
    flags = {name: data.draw(st.booleans()) for name, (_, bits) in LAYOUT.items() if bits == 1}
    one = Instruction(op=Op.LINEAR, index=data.draw(st.sampled_from(Index)), **fields, **flags)
    assert Instruction.unpack(one.pack()) == one


def test_instruction_by_hand() -> None:
    one = Instruction(op=Op.LOAD, index=Index.TOKEN, d=3, count=256, address=0x1000, stride=512)
    word = int.from_bytes(one.pack(), "little")
    assert word & 0xFF == 1
    assert word >> 8 & 3 == 2
    assert word >> 48 & 0xFFFF == 3
    assert word >> 64 & 0xFFFF == 256
    assert one.text() == "LOAD      index=token d=3 count=256 address=0x1000 stride=512"
    assert next(disassemble(one.pack())).split()[0] == "0"


def test_what_does_not_fit_an_instruction_is_refused() -> None:
    with pytest.raises(ValueError, match="a of ADD must fit 16 bits, is 65536"):
        Instruction(op=Op.ADD, a=1 << 16).pack()
    with pytest.raises(ValueError, match="99"):
        Instruction.unpack(bytes([99, 1]) + bytes(30))
    with pytest.raises(ValueError, match="an odd number of bits"):
        Instruction.unpack(bytes(32))


def test_load_add_and_store_by_hand() -> None:
    memory = halves(1, 2, 3, 4, 0.5, -2, 10, 1).tobytes() + bytes(48)
    chip = machine(
        Instruction(op=Op.LOAD, d=0, count=4, address=0),
        Instruction(op=Op.LOAD, d=1, count=3, address=8),
        Instruction(op=Op.ADD, a=0, b=1, d=2, count=4),
        Instruction(op=Op.STORE, a=2, count=4, address=16),
        memory=memory,
    )
    assert chip.run(len(memory), known=1) == 0
    assert chip.memory[16:24].tobytes() == halves(1.5, 0, 13, 4).tobytes()
    assert chip.position == 1


def test_turning_by_hand() -> None:
    # (3, 4) by a quarter turn is (-4, 3); (1, 1) by none stays.
    memory = halves(3, 4, 1, 1, 0, 1, 1, 0).tobytes() + bytes(48)
    chip = machine(
        Instruction(op=Op.LOAD, d=0, count=4, address=0),
        Instruction(op=Op.LOAD, d=1, count=4, address=8),
        Instruction(op=Op.ROTATE, a=0, b=1, d=0, count=4),
        memory=memory,
    )
    chip.run(len(memory), known=1)
    assert chip.vectors[:4].view(np.float16).tolist() == [-4, 3, 1, 1]


def test_powers_by_hand() -> None:
    # exp(0), exp(-1) times 2 and 1; what divides them is in the factor.
    memory = halves(5, 4, 0, 0, 2, 1).tobytes() + bytes(52)
    chip = machine(
        Instruction(op=Op.LOAD, d=0, count=2, address=0),
        Instruction(op=Op.LOAD, d=1, count=2, address=8),
        Instruction(op=Op.LARGEST, a=0, count=2),
        Instruction(op=Op.POWERS, a=0, b=1, d=2, count=2),
        memory=memory,
    )
    chip.run(len(memory), known=1)
    found = chip.vectors[8:10].view(np.float16)
    assert found == pytest.approx([2, np.exp(-1)], rel=2**-10)
    assert chip.factor.value() == pytest.approx([1 / (1 + np.exp(-1))], rel=2**-9)


def test_the_first_of_the_largest_is_chosen() -> None:
    memory = halves(-3, 7, 7, 1).tobytes() + halves(7, 8, 0, 0).tobytes() + bytes(48)
    chip = machine(
        Instruction(op=Op.LOAD, d=0, count=4, address=0),
        Instruction(op=Op.LOAD, d=1, count=4, address=8),
        Instruction(op=Op.CHOOSE, a=0, count=4),
        memory=memory,
    )
    assert chip.run(len(memory), known=1) == 1
    more = Instruction(op=Op.CHOOSE, a=1, count=4, scaled=True, extra=4)
    chip.choose(more)
    assert chip.chosen == 5


def test_cache_codes_by_hand() -> None:
    # Mean 1, so that steps are sixteenths: magnitudes 0, 4, 16, 44 and thresholds 8, 16, ...
    limits = np.array([8, 16, 24, 32, 40, 48, 56])
    form = CacheFormat(ScaleFactor.mean(4), limits, np.arange(8) * 60)
    codes, scale = cache_codes(halves(0.0, 0.25, -1.0, 2.75)[None], form)
    assert codes.tolist() == [[0, 0, 8 + 2, 5]]
    assert scale.view(np.float16).tolist() == [1.0]


# Whole decoders.


def logits(decoder: Decoder, shape: ChipShape, tokens: list[int]) -> np.ndarray:
    """Return the golden machine's logits (T, V)."""
    compiled = compile_decoder(decoder, shape)
    chip = Machine(shape, compiled.with_tokens(tokens))
    vocabulary = decoder.shape.vocabulary
    address, _ = compiled.regions["logits"]
    stride = shape.aligned(2 * vocabulary)
    rows = []
    for n in range(len(tokens)):
        chip.run(compiled.program, known=1)  # logits of each, and none is taken
        chip.write(compiled.tokens, np.array(tokens, "<u4").tobytes())
        rows.append(chip.numbers(address + n * stride, vocabulary).view(np.float16))
    return np.array(rows, np.float64)


@pytest.mark.parametrize("heads", [(2, 2), (4, 2), (2, 1)])
def test_small_decoders_are_near_real_numbers(heads: tuple[int, int]) -> None:
    shape = replace(TINY, heads=heads[0], kv_heads=heads[1], vocabulary=27)
    rng = np.random.default_rng(3)
    decoder = random_decoder(rng, shape)
    form = fit_cache(rng.normal(size=(1000, shape.head_width)).astype(np.float32))
    # Large scores would make a little error of a key a large one of what it is worth.
    layers = tuple(
        replace(one, keys=form, values=form, query=times(one.query, 0.1)) for one in decoder.layers
    )
    decoder = replace(decoder, layers=layers)
    tokens = [3, 1, 4, 1, 5, 9, 2, 6]
    found, wanted = (
        logits(decoder, SHAPE, tokens),
        RealDecoder(decoder).logits(np.array(tokens)[None])[0],
    )
    assert found.shape == wanted.shape == (8, 27)
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(("words", "block"), [(64, 2), (128, 4), (40, 1)])
@pytest.mark.parametrize("known", [1, 4, 9])
def test_blocks_of_a_prompt_leave_what_its_tokens_leave(words: int, block: int, known: int) -> None:
    """Every byte is that of token by token: keys, values, logits that count, and the text."""
    chip = replace(SHAPE, vector_words=words)
    decoder = random_decoder(np.random.default_rng(7), replace(TINY, kv_heads=1))
    compiled = compile_decoder(decoder, chip)
    assert max(compiled.blocks, default=1) == block
    text = [3, 1, 4, 1, 5, 9, 2, 6, 5][:known]
    whole, blocks = (Machine(chip, compiled.with_tokens(text)) for _ in range(2))
    while whole.position < known + 2:
        whole.run(compiled.program, known)
    passes = compiled.passes(known, known + 2)
    runs = 0
    for program, first, end in passes:
        assert blocks.position == first
        while blocks.position < end:
            blocks.run(program, known)
            runs += 1
    assert runs == known // block + (known % block).bit_count() + 2
    np.testing.assert_array_equal(blocks.memory, whole.memory)


def test_the_language_model_on_the_machine_is_near_the_language_model() -> None:
    decoder, whole = read_decoder(DECODER), LanguageModel.load()
    tokens = [293, 494, 13, 360, 293, 494, 593, 272]
    found = logits(decoder, LARGE, tokens)
    wanted = whole.logits(np.array(tokens)[None])[0]
    error = np.abs(found - wanted).mean() / wanted.std()
    assert error < 0.08  # 0.05 as a rule; nothing is alike from 1 on


def test_windows_are_what_the_machine_computes() -> None:
    rng = np.random.default_rng(11)
    shape = replace(TINY, heads=4, kv_heads=2)
    tokens = rng.integers(0, shape.vocabulary, 12).tolist()
    decoder = random_decoder(rng, shape, forms=True)
    found = ChipModel(decoder).logits(np.array(tokens)[None])[0]
    assert np.array_equal(found, logits(decoder, SHAPE, tokens))


def test_models_that_do_not_fit_are_refused() -> None:
    decoder = random_decoder(np.random.default_rng(0))
    with pytest.raises(InputError, match="words of the vector memory, of which there are 16"):
        compile_decoder(decoder, replace(SHAPE, vector_words=16))
    with pytest.raises(InputError, match="24 outputs; the chip takes 64 and 20: take a larger"):
        compile_decoder(decoder, replace(SHAPE, outputs_max=20))
    with pytest.raises(InputError, match="they have 8 numbers: take a smaller chip"):
        compile_decoder(decoder, replace(SHAPE, output_lanes=16))


def test_a_decoder_survives_its_file(tmp_path) -> None:
    decoder = random_decoder(np.random.default_rng(1))
    path = tmp_path / "decoder.safetensors"
    path.write_bytes(decoder_bytes(decoder, {}))
    again = read_decoder(path)
    assert compile_decoder(again, SHAPE) == compile_decoder(decoder, SHAPE)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=re.escape(str(path))):
        read_decoder(path)


def test_the_region_of_each_thing_is_known() -> None:
    compiled = compile_decoder(random_decoder(np.random.default_rng(2)), SHAPE)
    ends = [address + size for address, size in compiled.regions.values()]
    starts = [address for address, _ in compiled.regions.values()]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert compiled.names[compiled.program] == "token"
    assert list(compiled.names.values())[-1] == "next"
