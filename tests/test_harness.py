"""The bare C++ program: what it drives and sees, and every rule whose breach it must notice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from gateware.engines.memory_image import MemoryImage
from golden.base.errors import ToolError
from sim.harness.harness import HarnessRun, Task, build_harness, run_harness

REQUEST = data.StructLayout({"column": 2, "rows": data.ArrayLayout(3, 2)})
COUNT, WIDTH = 40, 70


class Passed(wiring.Component):
    """Each word of ``i`` is a request, ``o`` has the answers with ``added`` in their upper part.

    ``fault`` breaks a rule: the Verilog below is the design.
    """

    def __init__(self) -> None:
        ports = {
            "i": In(stream.Signature(8)),
            "request_o": Out(stream.Signature(REQUEST)),
            "answer_i": In(stream.Signature(16)),
            "o": Out(stream.Signature(WIDTH)),
            "fault": In(3),
            "added": In(33),
            "taken": Out(9),
        }
        super().__init__(ports)


VERILOG = f"""
module passed(clk, rst, i__payload, i__valid, i__ready, request_o__payload, request_o__valid,
    request_o__ready, answer_i__payload, answer_i__valid, answer_i__ready, o__payload, o__valid,
    o__ready, fault, added, taken);
  input clk, rst, i__valid, request_o__ready, answer_i__valid, o__ready;
  input [7:0] i__payload;
  input [15:0] answer_i__payload;
  input [2:0] fault;
  input [32:0] added;
  output i__ready, request_o__valid, answer_i__ready, o__valid;
  output [7:0] request_o__payload;
  output [{WIDTH - 1}:0] o__payload;
  output reg [8:0] taken;
  reg full, ready_before;
  reg [15:0] held;
  reg [20:0] turn;
  assign request_o__payload = i__payload;
  assign request_o__valid = i__valid;
  assign i__ready = request_o__ready;
  assign answer_i__ready = (~full | o__ready) & ~(fault == 6 & taken > 5);
  assign o__valid = full & ~(fault == 1 & turn[1]) & ~(fault == 3 & ~o__ready)
    & ~(fault == 4 & ~ready_before) | fault == 5 & taken == {COUNT};
  assign o__payload = {{added, {{21{{fault == 2 & turn[1] | fault == 7 & o__ready}}}}, held}};
  always @(posedge clk) begin
    turn <= turn + 1;
    ready_before <= o__ready;
    if (o__valid & o__ready) begin full <= 0; taken <= taken + 1; end
    if (answer_i__valid & answer_i__ready) begin full <= 1; held <= answer_i__payload; end
    if (rst) begin full <= 0; taken <= 0; turn <= 0; ready_before <= 0; end
  end
endmodule
"""
IMAGE = np.random.default_rng(5).integers(0, 256, (6, 4, 1)).astype(np.uint8)
WORDS = np.random.default_rng(6).integers(0, 256, COUNT).tolist()
ADDED = 0x1_2345_6789
TASK = Task(
    feeds={"i": WORDS},
    wanted={"o": COUNT},
    memories=[
        MemoryImage(
            request="request_o",
            answer="answer_i",
            words=IMAGE,
            row_field="rows",
            column_field="column",
        )
    ],
    inputs={"added": ADDED},
    cycles=5000,
)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_harness(tmp_path_factory.mktemp("passed"), VERILOG, "passed", Passed())


@pytest.fixture
def run(needs: Callable[[str], None], request: pytest.FixtureRequest) -> Callable[..., HarnessRun]:
    needs("verilator")
    built = request.getfixturevalue("program")

    def run(fault: int = 0, **changes) -> HarnessRun:
        inputs = {**TASK.inputs, "fault": fault}
        return run_harness(built, Passed(), replace(TASK, **changes, inputs=inputs))

    return run


def answers() -> list[int]:
    """Return the answers by :class:`MemoryImage` itself, not the program."""
    fields = ({"column": w & 3, "rows": [w >> 2 & 7, w >> 5]} for w in WORDS)
    (image,) = TASK.memories
    return [ADDED << (WIDTH - 33) | image.word(request) for request in fields]


def test_full_rate(run: Callable[..., HarnessRun]) -> None:
    done = run()
    assert done.words == {"o": answers()}
    assert done.outputs == {"taken": COUNT}
    first = int(done.taken_at["i"][0])
    # A request is answered in the next cycle; one cycle more is the design's own.
    for name, after in (("i", 0), ("request_o", 0), ("answer_i", 1), ("o", 2)):
        np.testing.assert_array_equal(done.taken_at[name], first + after + np.arange(COUNT))
    assert done.cycles == first + COUNT + 1 + 12
    assert 0 < done.seconds < 60


def test_pauses(run: Callable[..., HarnessRun]) -> None:
    runs = [run(stall=0.4, seed=seed) for seed in (1, 1, 2)]
    assert all(done.words == {"o": answers()} for done in runs)
    once, again, other = (done.taken_at["o"].tolist() for done in runs)
    assert once == again != other
    assert runs[0].cycles > 3 * COUNT


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (1, "o, cycle .*: valid fell before the word was taken"),
        (2, "o, cycle .*: the payload changed while it waited"),
        (3, "not done after 5000 cycles: i .* o 0 of 40"),
        (4, "not done after 5000 cycles: i .* o 0 of 40"),
        (5, "o: a word more than there should be"),
        (6, "not done after 5000 cycles: i [0-9]+ of 40.* o 7 of 40"),
        (7, "o, cycle .*: the payload depends on ready"),
    ],
)
def test_broken_rules_are_noticed(run: Callable[..., HarnessRun], fault: int, said: str) -> None:
    with pytest.raises(ToolError, match=rf"{said}.*again with `.*streams.run .*task .*result`"):
        run(fault, stall=0.4)


def test_request_beyond_the_columns(run: Callable[..., HarnessRun]) -> None:
    (image,) = TASK.memories
    few = replace(image, words=IMAGE[:, :2])
    with pytest.raises(ToolError, match="request_o names no word"):
        run(memories=[few])
