"""A run: what a host says of it, and what ends it."""

from amaranth.lib import enum, wiring

from golden.chip.shape import TOKEN_BYTES
from hw.chip.chip_spec import ADDRESS_BITS, POSITION_BITS
from hw.stream.token_buffer import Port

TOKEN_BITS = 8 * TOKEN_BYTES


class Fault(enum.Enum, shape=3):
    """What ended a run before its time."""

    NONE = 0
    INSTRUCTION = 1  # there is no such operation, or units cannot carry it out
    MEMORY = 2  # the bus answered with an error
    NUMBER = 3  # one that the engine was given, or made, is not finite or not one that it takes
    STOPPED = 4  # the host ended it
    HANG = 5  # the bus did not answer


class Run(Port):
    """What a host says of a run, as it says it; steady while the chip is busy."""

    def __init__(self) -> None:
        super().__init__(
            {
                "start": wiring.Out(1),
                "program": wiring.Out(ADDRESS_BITS),
                "first": wiring.Out(POSITION_BITS),
                "known": wiring.Out(POSITION_BITS),
                "limit": wiring.Out(POSITION_BITS),
                "end_token": wiring.Out(TOKEN_BITS),
                "ends": wiring.Out(1),
            }
        )
