"""Rows of 4 and 5 bits on the grid of 8: levels by hand, in a layer, in a program, from a fit."""

from dataclasses import replace

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.chip.compiler import compile_decoder
from golden.chip.constants import Constants, LoadWord, chip_layer
from golden.chip.decoder_file import decoder_bytes, read_decoder
from golden.chip.instruction import Instruction, Op
from golden.chip.layer_image import constant_words
from golden.chip.machine import Machine
from golden.chip.rules import FaultError
from golden.exact import fp16
from golden.exact.levels import Form, Levels
from golden.exact.linear import QuantizedLinear, forward
from golden.exact.token_scale import Scale, ScaleFactor
from golden.quantise.level_fit import fit_levels, levels_of
from golden.quantise.quantize import quantize_linear
from sim.kit.random_decoder import random_decoder
from tests.test_chip import SHAPE, halves

EIGHT = Levels(np.array([0, 15, 25, 35, 45, 55, 65, 127]), np.arange(10, 90, 10))


def layer_of(levels: Levels | None, k_top: int) -> QuantizedLinear:
    """Return four inputs and an output, whose weights make rows of twice the step."""
    half = np.arange(1, 9) * 32
    return chip_layer(
        np.full((4, 1), 7),
        np.concatenate([-half[::-1], half]),
        Scale(np.array([1024]), np.array([-10])),
        np.zeros(1, np.uint16),
        k_top=k_top,
        factor=ScaleFactor.mean(4),
        levels=levels,
    )


def test_levels_by_hand() -> None:
    steps = np.array([0, 14, 15, 24, 126, 127, -1, -14, -15, -127])
    wanted = [10, 10, 20, 20, 70, 80, -10, -10, -20, -80]
    assert (EIGHT.snapped(steps + 127) - 127).tolist() == wanted
    assert (EIGHT.form, len(Form)) == (Form.A4, 3)


def test_ranges_out_of_order_overlap_or_leave_gaps() -> None:
    first = np.array([0, 30, 20, 90, 10, 90, 90, 90])
    table = Levels(first, np.arange(64, 72)).table
    # 0 ends at 30, 2 goes on from 20 to 90, 4 from 10 on; of 7 alone there is something from 90 on.
    assert [table[n] for n in (9, 10, 25, 30, 89, 90)] == [64, 68, 70, 70, 70, 71]
    gap = Levels(np.array([0, 5, 0, 90, 90, 90, 90, 90]), np.full(8, 3)).table
    assert gap[4] == 3
    assert Levels(np.array([0, 0, 9, 9, 9, 9, 9, 0]), np.arange(8)).table[:2].tolist() == [7, 7]


def test_what_are_no_levels_is_refused() -> None:
    with pytest.raises(ValueError, match="8 or 16 levels, got 4"):
        Levels(np.zeros(4, np.int64), np.zeros(4, np.int64))
    with pytest.raises(ValueError, match="from 0 to 127"):
        replace(EIGHT, value=EIGHT.value + 48)
    with pytest.raises(ValueError, match="level 0 must begin at 0, begins at 1"):
        replace(EIGHT, first=EIGHT.first + np.eye(8, dtype=np.int64)[0])
    table = quantize_linear(np.eye(4), np.zeros(4), np.eye(4))
    with pytest.raises(ValueError, match="rows must be made"):
        replace(table, levels=EIGHT)


def test_a_layer_by_hand() -> None:
    # The mean is 1, so steps are sixteenths: 8, -8, 32 and 16 become 10, -10, 30 and 20.
    x = halves(0.5, -0.5, 2, 1)[None]
    assert forward(layer_of(EIGHT, 0), x).sums.tolist() == [[2 * (10 - 10 + 30 + 20)]]
    assert forward(layer_of(None, 0), x).sums.tolist() == [[2 * (8 - 8 + 32 + 16)]]
    # The largest and the smallest are exact: what is left of them is taken from the level.
    found = forward(layer_of(EIGHT, 1), x)
    assert found.sums.tolist() == [[2 * (10 - 8 + 32 + 20)]]
    assert found.y.view(np.float16).tolist() == [[108.0]]


def run(form: int, words: bytes) -> np.ndarray:
    """Return what a machine makes of the token above with such load words, in this form."""
    memory = words + halves(0.5, -0.5, 2, 1).tobytes() + halves(1, 0, 0, 0).tobytes()
    codes, scale = len(memory), len(memory) - 8
    count = len(words) // LoadWord.BYTES
    program = [
        Instruction(op=Op.CONSTANTS, count=count),
        Instruction(op=Op.LOAD, count=4, address=len(words)),
        Instruction(op=Op.CHANNELS, count=1, address=scale),
        Instruction(op=Op.LINEAR, d=1, address=codes, form=form, count=4, outputs=1, step=8),
        Instruction(op=Op.NEXT),
    ]
    code = b"".join(one.pack() for one in program)
    machine = Machine(SHAPE, memory + bytes([7]) * 8 + code)
    machine.run(codes + 8, known=1)
    return machine.vectors[4:5].view(np.float16)


def test_the_form_is_a_field_of_the_instruction() -> None:
    words = constant_words(layer_of(EIGHT, 1))
    assert len(words) == len(constant_words(layer_of(None, 1))) + 8 * LoadWord.BYTES
    assert [float(run(form, words)[0]) for form in (Form.A8, Form.A4)] == [96, 108]
    with pytest.raises(FaultError, match="there are 3 forms of rows"):
        run(3, words)
    one = Instruction(op=Op.LINEAR, count=4, form=Form.A5)
    assert one.text() == "LINEAR    count=4 form=a5"
    assert Instruction(op=Op.LINEAR, form=3).text() == "LINEAR    form=3"
    packed = int.from_bytes(one.pack(), "little")
    assert packed >> 254 == 1
    assert packed & ~(1 << 254 | 1 << 14) == int.from_bytes(
        replace(one, form=Form.A8).pack(), "little"
    ) & ~(1 << 14)


def test_a_level_that_was_never_loaded_is_zero_from_zero_on() -> None:
    # With eight of sixteen loaded, the last one has its range from 0 on, beside the others'.
    loaded, words = Constants(), constant_words(layer_of(EIGHT, 1))
    for at in range(0, len(words), LoadWord.BYTES):
        word = int.from_bytes(words[at : at + 8], "little")
        assert loaded.take(word & 7, word >> 8 & 0xFFFF, word >> 24, SHAPE)
    loaded.channels(halves(1), halves(0), 0)
    levels = loaded.layer(np.full((4, 1), 7, np.uint16), Form.A5).levels
    assert levels
    assert levels.table[[0, 14, 15, 126, 127]].tolist() == [10, 10, 20, 70, 0]
    assert run(Form.A5, words)[0] == 108
    # A word of level 0 says where it begins, too, but that is where no other does.
    late = words[:-64] + LoadWord.pack(LoadWord.LEVEL, 0, LoadWord.level(10, 99)) + words[-56:]
    assert run(Form.A4, late)[0] == 108


def test_a_load_word_of_no_level_is_refused() -> None:
    loaded = Constants()
    assert loaded.take(LoadWord.LEVEL, 15, LoadWord.level(127, 127), SHAPE)
    assert not loaded.take(LoadWord.LEVEL, 16, 0, SHAPE)


def test_a_decoder_with_all_forms_survives_its_file(tmp_path) -> None:
    decoder = random_decoder(np.random.default_rng(1), forms=True)
    forms = {one.levels.form if one.levels else Form.A8 for one in decoder.linears().values()}
    assert forms == set(Form)
    path = tmp_path / "decoder.safetensors"
    path.write_bytes(decoder_bytes(decoder, {}))
    compiled = compile_decoder(read_decoder(path), SHAPE)
    assert compiled == compile_decoder(decoder, SHAPE)
    path.write_bytes(path.read_bytes().replace(b'"shape":[2,16]', b'"shape":[4,8] ', 1))
    with pytest.raises(InputError, match=r"must have shape \(2, 8\) or \(2, 16\)"):
        read_decoder(path)


# What is fitted.


@pytest.mark.parametrize(("bits", "best"), [(4, 0.009497), (5, 0.002499)])
def test_levels_are_near_the_best_there_are(bits: int, best: float) -> None:
    """Of normal numbers, whose best quantisers of 16 and 32 levels are known."""
    values = np.random.default_rng(0).normal(size=200_000)
    scale, levels = fit_levels(values, bits, 0.0)
    steps = np.minimum(np.floor(np.abs(values) / float(scale) * 16 + 0.5), 127).astype(np.int64)
    lost = ((levels.table[steps] * float(scale) / 16 - np.abs(values)) ** 2).mean()
    assert best * 0.97 < lost < best * 1.08
    assert len(levels.value) == 1 << (bits - 1)


def test_each_magnitude_takes_the_nearest_level_and_the_upper_of_two() -> None:
    levels = levels_of(np.array([1, 3, 8, 9, 20, 30, 60, 200]) / 16)
    assert levels.value.tolist() == [1, 3, 8, 9, 20, 30, 60, 127]
    assert levels.first.tolist() == [0, 2, 6, 9, 15, 25, 45, 94]


def test_more_bits_lose_less() -> None:
    rng = np.random.default_rng(2)
    weight, x = rng.normal(size=(48, 32)), rng.normal(size=(300, 48))
    wanted, known = x @ weight, {"symmetric": True, "outlier_share": 0.02}

    def error(**form: object) -> float:
        layer = quantize_linear(weight, np.zeros(32), x, **known, **form)  # pyright: ignore
        found = forward(layer, fp16.to_bits(x)).y.view(np.float16)
        return float(((found - wanted) ** 2).mean())

    made = [error(activation_bits=bits, on_grid=bits < 8) for bits in (4, 5, 8)]
    assert made[0] > 1.2 * made[1] > 1.2 * made[2]
    # As well as with a codebook that need not be on the grid.
    assert made[0] < 1.1 * error(activation_bits=4)
    with pytest.raises(InputError, match="activation_bits must be 4 or 5, got 3"):
        error(activation_bits=3, on_grid=True)
