"""Parts of streams."""

from functools import partial

from gateware.point import Point
from hw.stream.token_buffer import TokenBuffer

POINTS = (
    Point("token_buffer", partial(TokenBuffer, 5, 3, 6)),
    Point("token_buffer_1", partial(TokenBuffer, 8, 1, 1)),
)
