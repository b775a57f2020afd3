"""Every block's bench, on the simulator that SIM names."""

import pytest

from sim.launch import run_block
from sim.registry import BLOCKS


@pytest.mark.parametrize("name", BLOCKS)
def test_block(name: str) -> None:
    run_block(name)
