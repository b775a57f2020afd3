"""cocotb bench that has a chip run a program out of an image, and writes what came of it."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

from gateware.points import point
from golden.chip.shape import TOKEN_BYTES
from hw.chip.chip import registers
from hw.chip.run import Fault
from sim.kit.clock import cycle, reset, start_clock
from sim.kit.striped_memory import StripedMemory
from sim.run.chip_cocotb import CHOSEN, DESIGN, RESULT, TASK

ADDRESSES = {one.name: one.address for one in registers()}


@cocotb.test()
async def chip_run(dut) -> None:
    """Start the run through the registers, and wait for the interrupt."""
    with np.load(os.environ[TASK], allow_pickle=False) as task:
        image, said = task["image"].tobytes(), json.loads(str(task["run"]))
        tokens, cycles, chance = int(task["tokens"]), int(task["cycles"]), float(task["stall"])
    began = 0
    position = max(said["known"], said["first"] + 1)  # of the next token that will be chosen

    def written(first: int, count: int) -> None:
        nonlocal position
        place = tokens + TOKEN_BYTES * position
        if first <= place and place + TOKEN_BYTES <= first + count:
            there = memory.content.reshape(-1)[place : place + TOKEN_BYTES]
            token = int.from_bytes(there.tobytes(), "little")
            passed = {"read_bytes": memory.read_bytes, "write_bytes": memory.write_bytes}
            one = {"position": position, "token": token, "cycles": cycle() - began, **passed}
            with Path(os.environ[CHOSEN]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(one) + "\n")
            position += 1

    spec = point(os.environ[DESIGN]).make().spec  # pyright: ignore[reportAttributeAccessIssue]
    memory = StripedMemory(dut, spec, image, written)
    memory.stall(np.random.default_rng(cocotb.RANDOM_SEED), chance)
    host: Any = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.clk, dut.rst)
    start_clock(dut)
    await reset(dut)
    began = cycle()
    for name, value in {**said, "enables": 1, "start": 1}.items():
        await host.write(ADDRESSES[name], int(value).to_bytes(4, "little"))
    while not int(dut.interrupts.value):
        assert cycle() - began < cycles, f"not done in {cycles} cycles"
        await RisingEdge(dut.clk)
    ended = cycle()
    fault = await host.read(ADDRESSES["fault"], 4)
    np.savez(
        os.environ[RESULT],
        memory=memory.content.reshape(-1)[: len(image)],
        cycles=ended - began,
        read_bytes=memory.read_bytes,
        write_bytes=memory.write_bytes,
        fault=Fault(int.from_bytes(fault.data, "little")).name.lower(),
    )
