"""Parameters of output channels, as they are written into a block."""

from collections.abc import Sequence
from typing import Any

from sim.kit.testbed import Testbed


async def load_channels(bed: Testbed, channels: Sequence[Any]) -> None:
    """Write the parameters of output channels, in no order."""
    for n in bed.rng.permutation(len(channels)):
        bed.set(channel_address=int(n), channel=channels[n])
        await bed.pulse("channel_en")
