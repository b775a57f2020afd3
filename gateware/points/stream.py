"""Parts of streams."""

from functools import partial

from gateware.point import Point
from hw.stream.channel_memory import ChannelMemory
from hw.stream.credit_queue import CreditQueue
from hw.stream.queue import Queue
from hw.stream.stage import Stage
from hw.stream.token_buffer import TokenBuffer
from hw.stream.walk import Loop, Walk
from hw.stream.word_memory import WordMemory

LOOPS = (Loop("tile", 13, 4), Loop("row", 3), Loop("beat", 10, 2))
POINTS = (
    Point("queue", partial(Queue, 7, 5)),
    Point("stage", partial(Stage, 7), bench="stream.bench_queue"),
    Point("credit_queue", partial(CreditQueue, 7, 6)),
    Point("channel_memory", partial(ChannelMemory, 5, 4, 3)),
    Point("channel_memory_1", partial(ChannelMemory, 5, 1, 1)),
    Point("walk", partial(Walk, LOOPS), steady=("counts", "available")),
    Point("walk_1", partial(Walk, (Loop("tile", 4, 4), Loop("beat", 5)))),
    Point("word_memory", partial(WordMemory, 12, 5, 3)),
    Point("token_buffer", partial(TokenBuffer, 5, 3, 6)),
    Point("token_buffer_1", partial(TokenBuffer, 8, 1, 1)),
    Point("token_buffer_again", partial(TokenBuffer, 5, 2, 3, 4)),
)
