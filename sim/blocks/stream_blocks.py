"""The stream kit, as the benches try it."""

from hw.stream.channel_memory import ChannelMemory
from hw.stream.credit_queue import CreditQueue
from hw.stream.queue import Queue
from hw.stream.stage import Stage
from hw.stream.walk import Loop, Walk
from sim.blocks.block import Block

LOOPS = (Loop("tile", 13, 4), Loop("row", 3), Loop("beat", 10, 2))

STREAM_BLOCKS = {
    "queue": Block("bench_queue", lambda: Queue(7, 5)),
    "stage": Block("bench_queue", lambda: Stage(7)),
    "credit_queue": Block("bench_credit_queue", lambda: CreditQueue(7, 6)),
    "channel_memory": Block("bench_channel_memory", lambda: ChannelMemory(5, 4, 3)),
    "channel_memory_1": Block("bench_channel_memory", lambda: ChannelMemory(5, 1, 1)),
    "walk": Block("bench_walk", lambda: Walk(LOOPS)),
    "walk_1": Block("bench_walk", lambda: Walk((Loop("tile", 4, 4), Loop("beat", 5)))),
}
