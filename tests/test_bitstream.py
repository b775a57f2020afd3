"""Bitstreams for boards: what is refused before anything is placed, and what a board is told."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateware.points.chip import CHIPS
from golden.base.errors import InputError
from golden.chip.compiler import Compiled, compile_decoder
from hw.board.board_chip import BoardChip
from sim.kit.random_decoder import TINY, random_decoder
from synth.fpga.bitstream import AROUND, BAUD, on_board
from synth.fpga.board import ULX3S
from synth.fpga.fpga import DEVICES
from tests.llama_folder import invoke

SPEC = CHIPS["chip_tiny"]
PROMPT = [3, 1]


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_decoder(random_decoder(np.random.default_rng(0), TINY), SPEC.shape)


def board_chip(compiled: Compiled) -> BoardChip:
    design = on_board(SPEC, compiled, PROMPT, 5, ULX3S)
    made = design.make()
    assert isinstance(made, BoardChip)
    return made


def test_the_memory_is_the_image_with_the_prompt(compiled: Compiled) -> None:
    made = board_chip(compiled)
    size = SPEC.axi.word_bytes
    content = b"".join(word.to_bytes(size, "little") for word in made.image)
    assert content[: len(compiled.memory)] == compiled.with_tokens(PROMPT)
    assert len(content) - len(compiled.memory) < size
    assert (made.words, made.known, made.limit) == (len(made.image), 2, 6)
    # A bit lasts as long as the receiver takes it to, within 2 %.
    assert made.cycles * BAUD == pytest.approx(ULX3S.clock_hz, rel=0.02)


def test_every_port_has_a_pin(compiled: Compiled) -> None:
    inner = set(board_chip(compiled).signature.members) | {"clk", "rst"}
    assert set(re.findall(r"\.(\w+)\(", AROUND)) == inner
    header = AROUND.split(";")[0]
    ports = {name for name in re.findall(r"(\w+)(?=[,)])", header) if name != "led"}
    ports |= {f"led[{n}]" for n in range(8)}
    located = re.findall(r'LOCATE COMP "([^"]+)" SITE "(\w+)";', ULX3S.constraints)
    assert {port for port, _ in located} == ports
    assert len({site for _, site in located}) == len(ports), "two ports at one pin"
    assert 'FREQUENCY PORT "clk" 25.0 MHZ;' in ULX3S.constraints
    assert ULX3S.device in DEVICES


def test_what_does_not_fit_is_refused(compiled: Compiled) -> None:
    with pytest.raises(InputError, match="4 memory buses"):
        on_board(CHIPS["chip_large"], compiled, PROMPT, 5, ULX3S)
    large = replace(compiled, memory=compiled.memory + bytes(1 << 19))
    with pytest.raises(InputError, match=r"bytes are more than the 425,984 of block RAM"):
        on_board(SPEC, large, PROMPT, 5, ULX3S)


def test_what_is_asked_for_wrongly_is_refused(tmp_path: Path) -> None:
    out = ("-o", tmp_path / "chip.bit")
    with pytest.raises(InputError, match="ulx3s"):
        invoke("bitstream", tmp_path, "--prompt-ids", "1", "--board", "ulx4s", *out)
    with pytest.raises(InputError, match="holds no model that `kllm compile` wrote"):
        invoke("bitstream", tmp_path, "--prompt-ids", "1", *out)
