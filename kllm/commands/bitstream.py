"""The command ``kllm bitstream``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kllm.options import Json, token_numbers
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm compile my-model --calibration-ids tokens.npz --chip chip_tiny -o small  -  a small model

kllm bitstream small --prompt-ids 1,2,3 --tokens 20 -o small.bit  -  some twenty minutes

openFPGALoader -b ulx3s small.bit  -  onto the board; tokens come on its serial line, 115200 baud
"""


def command(
    model: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A model that `kllm compile` wrote.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The bitstream to write.")
    ],
    prompt_ids: Annotated[str, typer.Option(metavar="1,2,3", help="The prompt's tokens.")],
    tokens: Annotated[int, typer.Option(min=1, help="Tokens to write.")] = 16,
    board: Annotated[str, typer.Option(help="The board: ulx3s.")] = "ulx3s",
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds of processor time that each tool may take.")
    ] = 7200,
    json_file: Json = None,
) -> None:
    """Make an FPGA's bitstream of a chip, with the model in its block RAM.

    Configured with it, a board writes the tokens on its serial line, a line of eight hexadecimal
    digits each, and again when its button is pressed: those that `kllm generate` has. Prints what
    the chip takes in the FPGA, and its highest clock, which must reach the board's.
    """
    from gateware.points.chip import CHIPS
    from golden.base.console import working
    from golden.base.files import require_writable, write_whole
    from golden.base.names import lookup
    from golden.chip.compiled_files import read_compiled
    from sim.chip.generate import GenerateOptions
    from synth.fpga.bitstream import bitstream, on_board
    from synth.fpga.board import BOARDS
    from synth.fpga.fpga_table import print_fits

    require_json(json_file)
    require_writable(output)
    place = lookup("board", board, BOARDS)
    found = read_compiled(model)
    assert found.compiled, "a folder holds a compiled model"
    prompt = token_numbers(prompt_ids)
    GenerateOptions(prompt=prompt, count=tokens, chip=found.chip).check(found.decoder)
    design = on_board(CHIPS[found.chip], found.compiled, prompt, tokens, place)
    with working() as say:
        say(f"placing {found.chip} on {place.name}")
        made = bitstream(design, place, timeout)
    write_whole(output, made.content)
    figures = asdict(made.fit) | {"board": place.name, "clock_mhz": place.clock_hz / 1e6}
    figures |= {"chip": found.chip, "bytes": len(made.content)}
    deliver(json_file, figures, lambda: print_fits([made.fit]))
