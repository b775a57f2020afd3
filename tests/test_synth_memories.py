"""Memories that are no flip-flops: what is said of them, and what they would take."""

from functools import partial
from pathlib import Path

import pytest

from gateware.design import Design
from gateware.points import CATALOGUE
from golden.base.errors import InputError
from hw.stream.token_buffer import TokenBuffer
from synth.area.measure import measure_all
from synth.area.tables import print_memories
from synth.libraries.liberty import Library, read
from synth.mapping.memories import Macro, Store, bit_cell, macros, memory_area, stays, store_of

MACROS = """
library (mine) {
  cell (RAM64X8) { area : 1000; memory () { type : ram; address_width : 6; word_width : 8; }
    bus (Q) { memory_read () { address : A; } } bus (D) { memory_write () { address : A; } } }
  cell (RAM256X32) { area : 5000; memory () { type : ram; address_width : 8; word_width : 32; }
    bus (Q) { memory_read () { address : A; } } bus (D) { memory_write () { address : A; } } }
}
"""


def store(words: int, width: int, reads: int = 1) -> Store:
    return Store("m", words, width, 1, reads, reads)


def cell(words: int, width: int, writes: int) -> dict:
    binary = {"SIZE": words, "WIDTH": width, "WR_PORTS": writes, "RD_PORTS": 2}
    parameters = {name: f"{value:b}" for name, value in binary.items()}
    return {"type": "$mem_v2", "parameters": {**parameters, "RD_CLK_ENABLE": "10"}}


def test_read_from_yosys() -> None:
    assert store_of("m", cell(64, 8, 1)) == Store("m", 64, 8, 1, 2, 1)
    assert stays(cell(33, 8, 1))
    assert not stays(cell(32, 8, 1))
    assert not stays(cell(1024, 8, 0))  # a table


def test_latch_model(library: Library) -> None:
    smallest = bit_cell(library)
    assert smallest
    assert (smallest.name, smallest.area) == ("DFFNEGX1", 96)
    assert memory_area(store(64, 8), "m", library, None) == 512 * 96


def test_macros_cover_words_and_width(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "macros.lib"
    path.write_text(MACROS)
    own = macros(read([path]))
    assert own.sized == (
        Macro("RAM64X8", 1000.0, 64, 8, 1, 1),
        Macro("RAM256X32", 5000.0, 256, 32, 1, 1),
    )
    # 64 x 9 needs two of the small one; 200 x 32 would need 16 of them.
    areas = [memory_area(store(*size), "m", library, own) for size in ((64, 8), (64, 9), (200, 32))]
    assert areas == [1000, 2000, 5000]
    with pytest.raises(InputError, match="memory m needs 1 write and 2 read ports; no macro"):
        memory_area(store(64, 8, reads=2), "m", library, own)


def test_a_macro_of_the_name_comes_first(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "macros.lib"
    path.write_text("library (mine) { cell (kllm_memory_64x32) { area : 300; } }")
    own = macros(read([path]))
    assert memory_area(store(64, 8), "kllm_memory_64x32", library, own) == 300
    with pytest.raises(InputError, match="no macro is called kllm_memory_8x64"):
        memory_area(store(64, 8), "kllm_memory_8x64", library, own)
    path.write_text("library (mine) { cell (kllm_memory_64x32) { } cell (OTHER) { area : 1; } }")
    with pytest.raises(InputError, match="kllm_memory_64x32: its area must be more than 0"):
        macros(read([path]))


def test_macros_of_a_design_by_name(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "macros.lib"
    path.write_text("library (mine) { cell (kllm_memory_64x8_w2) { area : 123; } }")
    pair = Design("pair", partial(TokenBuffer, 32, 2, 4))
    (area,) = measure_all([pair], library, own_macros=read([path]), timed=False)
    assert [(one.module, one.bits, one.area) for one in area.memories] == [
        ("kllm_memory_64x8_w2", 512, 123)
    ]
    assert area.memory_area == 123


def test_memories_that_are_alike_are_one_line(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (area,) = measure_all([CATALOGUE["quick_select_16"]], library, timed=False)
    print_memories(area)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    found = {row[0]: row[1:4] for row in rows if len(row) == 8 and row[1].isdigit()}
    assert found["kllm_memory_29x512"] == ["16", "512", "29"]
    assert len(found) == len(area.memories) == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("memory ()", "other ()", "mine has no memory macro"),
        ("word_width : 8;", "", "RAM64X8: its memory group must give"),
        ("word_width : 8;", "word_width : 0;", "RAM64X8: word width and area must be"),
    ],
)
def test_bad_macros_are_one_sentence(old: str, new: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "macros.lib"
    path.write_text(MACROS.replace(old, new))
    with pytest.raises(InputError, match=said):
        macros(read([path]))
