"""Made-up constants of layers, as a program finds them in memory."""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from golden.chip.constants import LoadWord, chip_layer
from golden.chip.layer_image import constant_words, level_words
from golden.chip.shape import ChipShape
from golden.exact.cache_codes import FP16_BIAS
from golden.exact.levels import Form
from golden.exact.token_scale import Scale, ScaleFactor
from sim.kit.levels import random_levels

NOT_SCALES = (0, 0x7C00, 0x7E01, 0x9000, 0x200)


def any_scales(rng: np.random.Generator, count: int, places: int) -> npt.NDArray[np.uint16]:
    """Return scales of channels that make outputs of a usual size; at times one is none."""
    exponents = np.clip(rng.integers(-21, -10, count) + FP16_BIAS - places, 1, 30)
    words = (exponents << 10 | rng.integers(0, 1024, count)).astype("<u2")
    if rng.random() < 0.02:
        words[int(rng.integers(count))] = rng.choice(NOT_SCALES)
    return words


def any_layers(
    rng: np.random.Generator, shape: ChipShape, sizes: list[tuple[int, int]], form: Form
) -> list[bytes]:
    """Return load words of layers of these sizes (inputs, outputs), in an order by chance.

    They have levels for a form, as a rule: at times another one's, or the same number of a level
    twice, whose order is then by chance.
    """
    levels = b""
    if form.levels:
        other = form if rng.random() < 0.8 else Form(int(rng.integers(1, len(Form))))
        found = random_levels(rng, other)
        levels = level_words(found) if found else b""
        if rng.random() < 0.2:
            word = LoadWord.level(*rng.integers(0, 128, 2).tolist())
            levels += LoadWord.pack(LoadWord.LEVEL, int(rng.integers(16)), word)
    while True:
        try:
            return [_any_layer(rng, shape, *size, levels) for size in sizes]
        except ValueError:  # such constants no layer has
            continue


def _any_layer(
    rng: np.random.Generator, shape: ChipShape, inputs: int, outputs: int, levels: bytes
) -> bytes:
    half = np.sort(rng.choice(np.arange(1, 511), 8, replace=False))
    layer = chip_layer(
        np.zeros((inputs, outputs), np.uint16),
        np.concatenate([-half[::-1], half]),
        Scale(np.full(outputs, 1024), np.full(outputs, -20)),
        np.zeros(outputs, np.uint16),
        k_top=int(rng.integers(min(shape.outliers_max, inputs) + 1)),
        factor=ScaleFactor.mean(inputs, Fraction(int(rng.integers(8, 33)), 16)),
    )
    words = constant_words(layer) + levels
    size = LoadWord.BYTES
    parts = [words[n : n + size] for n in range(0, len(words), size)]
    return b"".join(parts[n] for n in rng.permutation(len(parts)))
