"""What simulators get is what is synthesised: proven, register for register and bit for bit."""

import itertools
from pathlib import Path

import pytest
from amaranth.hdl import Module

from gateware.emit import simulation_verilog, verilog
from gateware.sizes import engine_spec
from gateware.yosys import run_abc, run_yosys
from golden.base.errors import ToolError
from hw.arith.carry_save import add_rows, first_row, resolve
from hw.arith.columns import compress, rows
from hw.linear.lookup.lookup_lane import GROUP, LookupLane
from hw.linear.lookup.lookup_tree import LookupTree
from hw.linear.lookup.row_select import RowSelect
from hw.stream.component import Component, In, Out

SECONDS = 300


def prove_equal(folder: Path, texts: list[str]) -> str:
    """Return what ABC says of two texts of a module: registers of one name are the same one."""
    for n, text in enumerate(texts):
        (folder / f"{n}.v").write_text(text)
        commands = [
            f"read_verilog {n}.v",
            "hierarchy -top same",
            "proc",
            "flatten",
            "opt_clean -purge",
            "techmap",
            "simplemap",
            "opt_clean -purge",
            f"write_blif {n}.blif",
        ]
        run_yosys(folder, commands, task="blif", timeout=SECONDS)
    return run_abc(folder, ["cec 0.blif 1.blif"], task="equivalence", timeout=SECONDS)


class Product(Component):
    """Rows of a product in carry-save form, some and then the others, and their sum."""

    a = In(7)
    b = In(6)
    o = Out(13)

    def build(self, m: Module) -> None:  # noqa: D102
        some = add_rows(m, first_row(m, self.a, self.b[0], "row"), self.a, self.b[1:3], "row")
        m.d.comb += self.o.eq(resolve(m, add_rows(m, some, self.a, self.b[3:], "row"), "high"))


class ColumnSum(Component):
    """Columns of up to five bits in so many levels of adders, and the sum of what is left."""

    i = In(18)
    o = Out(lambda c: c.width)

    def __init__(self, levels: int | None, width: int) -> None:
        self.levels, self.width = levels, width
        super().__init__()

    def build(self, m: Module) -> None:  # noqa: D102
        ends = (0, 1, 4, 9, 14, 14, 18)
        columns = [list(self.i[low:high]) for low, high in itertools.pairwise(ends)]
        left = compress(m, columns, "early", levels=self.levels, width=self.width)
        m.d.comb += self.o.eq(sum(rows(compress(m, left, "late", width=self.width))))


# A tree of a lane's groups; one of 16 lanes takes minutes, and is made by the same lines.
PARTS = {
    "tree": lambda spec: LookupTree(spec, GROUP),
    "lane": LookupLane,
    "select": RowSelect,
}


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("part", PARTS)
def test_simulated_text_is_equivalent(tmp_path: Path, part: str, symmetric: bool) -> None:
    spec = engine_spec("small", symmetric=symmetric)
    texts = [write(PARTS[part](spec), "same") for write in (verilog, simulation_verilog)]
    assert "are equivalent" in prove_equal(tmp_path, texts)
    assert texts[1].count("\n") < 0.7 * texts[0].count("\n"), "no words in place of bits"


@pytest.mark.parametrize("part", [Product(), ColumnSum(None, 9), ColumnSum(1, 6)])
def test_sums_of_words_are_those_of_bits(tmp_path: Path, part: Component) -> None:
    texts = [write(part, "same") for write in (verilog, simulation_verilog)]
    assert "are equivalent" in prove_equal(tmp_path, texts)
    assert texts[1].count("\n") < 0.7 * texts[0].count("\n"), "no words in place of bits"


def test_a_difference_is_found(tmp_path: Path) -> None:
    """One wrong operator in the text for simulators: the proof must fail."""
    spec = engine_spec("small", symmetric=True)
    text = simulation_verilog(LookupLane(spec), "same")
    wrong = text.replace(" + ", " - ", 1)
    assert wrong != text
    try:
        said = prove_equal(tmp_path, [text, wrong])
    except ToolError as error:
        said = str(error)
    assert "are equivalent" not in said
    assert "NOT EQUIVALENT" in said
