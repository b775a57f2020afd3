"""A chip on a board, and what a board has."""

from functools import partial

import numpy as np

from gateware.point import Point
from gateware.points.chip import TINY
from golden.chip.builder import Builder
from golden.chip.instruction import Index, Op
from golden.chip.shape import TOKEN_BYTES
from hw.board.board_chip import BoardChip
from hw.board.uart_writer import UartWriter
from hw.bus.axi import AxiSpec

PROMPT, LIMIT = 3, 6
# The token behind each one: the smallest model there is.
FOLLOWERS = (5, 0, 7, 2, 1, 4, 3, 6)


def image_words(image: bytes, bus: AxiSpec) -> tuple[int, ...]:
    """Return a memory image as words of a bus."""
    size = bus.word_bytes
    padded = image + bytes(-len(image) % size)
    return tuple(
        int.from_bytes(padded[n : n + size], "little") for n in range(0, len(padded), size)
    )


def followers() -> BoardChip:
    """Return a board chip that looks up a row of logits for each token."""
    builder = Builder(TINY.shape)
    prompt = PROMPT.to_bytes(TOKEN_BYTES, "little")
    tokens = builder.image.put("tokens", prompt.ljust(TOKEN_BYTES * (LIMIT + 1), b"\0"))
    rows = np.zeros((len(FOLLOWERS), len(FOLLOWERS)), np.float16)
    rows[range(len(FOLLOWERS)), FOLLOWERS] = 1
    table = builder.rows("rows", rows.view(np.uint16))
    place = {"index": Index.POSITION, "stride": TOKEN_BYTES}
    builder.do("token", Op.TAKE, address=tokens, **place)
    builder.load("row", 0, table, len(FOLLOWERS), Index.TOKEN)
    builder.do("best", Op.CHOOSE, a=0, count=len(FOLLOWERS))
    builder.do("next", Op.NEXT, address=tokens + TOKEN_BYTES, **place)
    program, _ = builder.finish()
    image = image_words(bytes(builder.image.data), TINY.axi)
    return BoardChip(
        TINY,
        words=len(image),
        image=image,
        program=program,
        tokens=tokens,
        known=1,
        limit=LIMIT,
        cycles=4,
    )


POINTS = (
    Point("board_chip", followers),
    *(Point(f"uart_writer_{cycles}", partial(UartWriter, cycles)) for cycles in (2, 5)),
)
