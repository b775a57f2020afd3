"""Registers: what a file may say, and that all that is made of it agrees."""

from pathlib import Path
from typing import Any

import pytest
from amaranth.sim import Simulator
from systemrdl.messages import RDLCompileError

from golden.chip import rules
from hw.bus.register_bank import RegisterBank
from hw.bus.register_map import Kind, read_tree, register_map
from hw.chip.chip import REGISTERS
from hw.chip.run import Fault

GOOD = "reg { field { sw = rw; hw = r; } a[4] = 0; } one;"


def read(folder: Path, text: str):
    file = folder / "some.rdl"
    file.write_text(f"addrmap some {{ {text} }};")
    return register_map(read_tree(file))


def test_a_map_by_hand(tmp_path: Path) -> None:
    more = """reg {
        desc = "in
                lines";
        default sw = r; default hw = na;
        field {} low[4] = 3; field { desc = "above"; } high[28] = 1;
    } other @ 0x10;"""
    found = read(tmp_path, GOOD + more)
    one, other = found
    assert (one.name, one.address, one.kind, one.bits, one.reset) == ("one", 0, Kind.CONTROL, 4, 0)
    assert (other.address, other.kind, other.about) == (0x10, Kind.CONSTANT, "in lines")
    assert (other.bits, other.reset) == (32, 0x13)
    assert [(field.low, field.about) for field in other.fields] == [(0, ""), (4, "above")]
    assert found["other"] == other
    assert found.of(Kind.CONTROL) == [one]
    assert found.address_bits == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("reg { regwidth = 64; field { sw = rw; hw = r; } a = 0; } one;", "32 bits, not 64"),
        ("reg { field { sw = rw; hw = r; } a[4:1] = 0; } one;", "side by side from bit 0"),
        ("reg { field { sw = rw; hw = rw; } a = 0; } one;", "one.a: .* no kind rw rw"),
        ("reg { field { sw = rw; hw = r; onread = rclr; } a = 0; } one;", "not know onread"),
        ("reg { field { sw = rw; hw = r; } a; } one;", "one.a: a reset is said of all"),
        ("reg { field { sw = r; hw = w; } a = 0; } one;", "one.a: a reset is said of all"),
        (
            "reg { field { sw = rw; hw = r; } a = 0; field { sw = r; hw = w; } b; } one;",
            "one: all fields of a register are of one kind",
        ),
        ("regfile { reg { field {} a; } one; } more;", "more: a register bank has registers"),
    ],
)
def test_what_the_bank_does_not_do_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(tmp_path, text)


def test_two_at_one_address_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RDLCompileError):
        read(tmp_path, f"{GOOD} {GOOD.replace('one', 'two')[:-1]} @ 0;")


@pytest.mark.parametrize("fields", [{"a": 16}, {"a": Fault.NONE}])
def test_a_word_has_its_register_s_bits(tmp_path: Path, fields: dict) -> None:
    one = read(tmp_path, GOOD)["one"]
    assert len(one.word(a=15)) == 4
    with pytest.raises(ValueError, match=r"one\.a has 4 bits"):
        one.word(**fields)


def test_a_register_begins_with_its_reset(tmp_path: Path) -> None:
    bank = RegisterBank(read(tmp_path, GOOD.replace("= 0", "= 9")))
    simulator = Simulator(bank)

    async def bench(ctx) -> None:
        assert ctx.get(bank.control.one) == 9

    simulator.add_testbench(bench)
    simulator.run()


def test_faults_are_the_same_everywhere() -> None:
    node: Any = read_tree(REGISTERS).find_by_path("fault.kind")
    said = {one.name: one.value for one in node.get_property("encode")}
    assert said == {one.name: one.value for one in Fault}
    assert said == {one.name: one.value for one in rules.Fault}
