"""Rotary positions: the chip's table of cosines and sines against angles of 64 exact bits."""

from dataclasses import replace
from decimal import Decimal, localcontext
from functools import cache

import numpy as np

from golden.chip.decoder_file import read_decoder
from golden.chip.models import DECODER

PI = Decimal("3.14159265358979323846264338327950288419716939937510")
POSITIONS = 131072
NEAR = 1e-13  # more than what the angles below and their cosines are off by


def turns_of(speed: Decimal) -> np.ndarray:
    """Return angles (T,) at all positions, from -pi to pi: whole turns wrap around in 64 bits."""
    step = int((speed / (2 * PI) * 2**64).to_integral_value())
    whole = np.arange(POSITIONS, dtype=np.uint64) * np.uint64(step)
    return whole.view(np.int64) * (2 * np.pi / 2**64)


@cache
def table() -> np.ndarray:
    """Return the cosine and sine of each pair at all positions, (T, 32, 2) float16."""
    decoder = read_decoder(DECODER)
    shape = replace(decoder.shape, context=POSITIONS)
    return replace(decoder, shape=shape).turns().view(np.float16).reshape(POSITIONS, -1, 2)


def test_every_number_of_the_table_is_the_nearest() -> None:
    """None is so near to a midpoint that the exact one might round otherwise."""
    with localcontext(prec=50):
        slower = (-Decimal(10000).ln() / 32).exp()
        angles = [turns_of(slower**n) for n in range(32)]
    for pair, of_pair in enumerate(np.moveaxis(table(), 1, 0)):
        for found, exact in zip(
            of_pair.T, (np.cos(angles[pair]), np.sin(angles[pair])), strict=True
        ):
            low, high = ((exact + off).astype(np.float16) for off in (-NEAR, NEAR))
            np.testing.assert_array_equal(low[1:], high[1:])
            np.testing.assert_array_equal(found, exact.astype(np.float16))


def test_the_last_position_by_hand() -> None:
    """131071 is 20860 turns, which are 131067.24551, and 3.75449: pi and 0.61290 more.

    The cosine of that, -0.817983, is -1675.2 / 2048, and the sine, -0.575242, is -1178.1 / 2048.
    """
    np.testing.assert_array_equal(table()[-1, 0], np.array([-1675, -1178]) / 2048)
    assert abs(turns_of(Decimal(1))[-1] - (3.7544922338260913385 - 2 * np.pi)) < NEAR
