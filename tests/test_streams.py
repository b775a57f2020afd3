"""The benches' own tools: each rule of a stream, broken once, must be noticed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from sim.kit.launch import BenchError, simulate
from sim.kit.through_paths import documented_paths
from sim.kit.traffic import TRAFFIC, Pauses
from sim.kit.words import pack, unpack, width

PRODUCER = """
module producer(clk, rst, o__valid, o__ready, o__payload);
  input clk, rst, o__ready;
  output o__valid;
  output [7:0] o__payload;
  reg [7:0] n = 0, cycle = 0;
  reg was_ready = 0;
  always @(posedge clk) begin
    cycle <= cycle + 1;
    was_ready <= o__ready;
    if (rst) n <= 0; else if (o__valid && o__ready) n <= n + 1;
  end
  assign o__valid = VALID;
  assign o__payload = PAYLOAD;
endmodule
"""
# Takes every third item only, and gives it on in the same cycle.
PASS_ON = """
module pass_on(clk, rst, i__valid, i__ready, i__payload, o__valid, o__ready, o__payload);
  input clk, rst, i__valid, o__ready;
  output i__ready, o__valid;
  input [7:0] i__payload;
  output [7:0] o__payload;
  assign {i__ready, o__valid, o__payload} = {READY, i__valid, i__payload};
endmodule
"""
SINK = """
import os
import cocotb
import numpy as np
from sim.kit.clock import reset, start_clock
from sim.kit.streams import StreamSink
from sim.kit.traffic import TRAFFIC

@cocotb.test(timeout_time=3, timeout_unit="us")
async def ten(dut):
    dut.o__ready.value = 0
    start_clock(dut)
    await reset(dut)
    traffic = TRAFFIC[os.environ["KLLM_TRAFFIC"]]
    rng = np.random.default_rng(1)
    sink = StreamSink(dut, "o", 8, rng=rng, traffic=traffic)
    assert await sink.until(10) == list(range(10))
    assert len(sink.valid_at) == len(sink.taken_at) == 10
"""
BOTH = """
import cocotb
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from sim.kit.testbed import Testbed

class Block(wiring.Component):
    '''Timing
    Through paths : PATHS
    Reset : no state.
    '''
    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

@cocotb.test(timeout_time=10, timeout_unit="us")
async def hundred(dut):
    bed = await Testbed(dut, Block()).start("slow_both")
    items = bed.rng.integers(256, size=100).tolist()
    bed.send("i", items)
    assert await bed.receive("o", 100) == items
"""


def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, verilog: str, traffic: str = "free"
) -> None:
    (tmp_path / "bench_text.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sim.kit.launch.BUILD", tmp_path)
    top = verilog.split("module ")[1].split("(")[0]
    environment = {"KLLM_TRAFFIC": traffic}
    simulate(top, verilog, "bench_text", simulator="icarus", environment=environment)


def producer(valid: str, payload: str) -> str:
    return PRODUCER.replace("VALID", valid).replace("PAYLOAD", payload)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_good_producer_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, traffic: str
) -> None:
    bench(tmp_path, monkeypatch, SINK, producer("n < 10", "n"), traffic)


@pytest.mark.parametrize(
    ("valid", "payload", "traffic", "said"),
    [
        ("n < 10 && cycle[0]", "n", "slow_out", "valid fell before the item was taken"),
        ("n < 10", "o__ready ? n : cycle", "slow_out", "payload changed while waiting"),
        ("n < 10 && (o__ready || was_ready)", "n", "slow_both", "SimTimeoutError|timeout|3us"),
        ("n < 10", "8'bx", "free", "payload undefined while valid"),
        ("1'bx", "n", "free", "valid is undefined"),
        ("n < 11", "n", "free", "1 items too many"),
        ("n < 9", "n", "free", "SimTimeoutError|timeout|3us"),
        ("1'b0", "n", "free", "SimTimeoutError|timeout|3us"),
        ("n < 10", "n + (n > 4)", "free", "assert"),
    ],
    ids=[
        "valid drops",
        "payload changes",
        "valid waits for ready",
        "payload undefined",
        "valid undefined",
        "one too many",
        "one too few",
        "none",
        "wrong",
    ],
)
def test_bad_producer_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    valid: str,
    payload: str,
    traffic: str,
    said: str,
) -> None:
    with pytest.raises(BenchError, match=said):
        bench(tmp_path, monkeypatch, SINK, producer(valid, payload), traffic)


ALL_PATHS = (
    "``i.valid`` and ``i.payload`` to ``o.valid`` and ``o.payload``, ``o.ready`` to ``i.ready``."
)


@pytest.mark.parametrize(
    ("ready", "paths", "said"),
    [
        ("o__ready", ALL_PATHS, ""),
        ("o__ready", "none.", "reaches .* in the same cycle"),
        (
            "o__ready",
            ALL_PATHS.replace("``o.ready`` to ``i.ready``", ""),
            "o.ready reaches i.ready",
        ),
        ("o__ready", ALL_PATHS.replace("and ``o.payload``", ""), "i.payload reaches o.payload"),
        ("1'b1", ALL_PATHS, "hundred"),  # loses what the sink does not take
        ("1'bx", ALL_PATHS, "i.ready is undefined"),
    ],
)
def test_source_and_through_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: str, paths: str, said: str
) -> None:
    text, verilog = BOTH.replace("PATHS", paths), PASS_ON.replace("READY", ready)
    if not said:
        bench(tmp_path, monkeypatch, text, verilog)
        return
    with pytest.raises(BenchError, match=said):
        bench(tmp_path, monkeypatch, text, verilog)


@pytest.mark.parametrize(
    ("said", "pairs"),
    [
        ("none.", set()),
        ("``o.ready`` to ``i.ready``, combinational.", {("o.ready", "i.ready")}),
        ("``a.x`` and ``b`` to ``c``; ``d`` to\n   ``e`` and ``f``.", {
            ("a.x", "c"), ("b", "c"), ("d", "e"), ("d", "f")
        }),
    ],
)  # fmt: skip
def test_documented_paths(said: str, pairs: set[tuple[str, str]]) -> None:
    kind = type("Kind", (SimpleNamespace,), {"__doc__": f"Through paths : {said}\n    Reset : x."})
    assert documented_paths(kind()) == pairs  # pyright: ignore[reportArgumentType]


LAYOUT = data.StructLayout({"low": 3, "list": data.ArrayLayout(signed(4), 2), "flag": unsigned(1)})


def test_words_hand_packed() -> None:
    value = {"low": 5, "list": [-1, 7], "flag": 1}
    bits = 0b1_0111_1111_101
    assert pack(LAYOUT, value) == bits
    assert unpack(LAYOUT, bits) == value
    assert pack(LAYOUT, bits) == bits
    assert width(LAYOUT) == 12
    assert [pack(signed(4), -8), unpack(signed(4), 8), unpack(range(5), 4)] == [8, -8, 4]


def test_words_agree_with_the_layout() -> None:
    value: dict[int | str, object] = {"low": 2, "list": [3, -4], "flag": 0}
    assert pack(LAYOUT, value) == LAYOUT.const(value).as_bits()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"low": 8, "list": [0, 0], "flag": 0}, r"8 does not fit unsigned\(3\)"),
        ({"low": 0, "list": [0, 8], "flag": 0}, r"8 does not fit signed\(4\)"),
        ({"low": 0, "list": [0], "flag": 0}, r"the fields are \[0, 1\], got \[0\]"),
        ({"low": 0, "list": [0, 0]}, "the fields are"),
        (1 << 12, "4096 does not fit"),
    ],
)
def test_words_that_do_not_fit(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pack(LAYOUT, value)


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_pauses_are_as_frequent_as_wanted(stall: float) -> None:
    pause = Pauses(np.random.default_rng(1), stall)
    share = np.mean([pause() for _ in range(10_000)])
    assert share == 0 if stall == 0 else stall < share < stall + 0.3


def test_four_kinds_of_traffic() -> None:
    kinds = [(t.source_stall > 0, t.sink_stall > 0, t.after_valid) for t in TRAFFIC.values()]
    no, yes = False, True
    assert kinds == [(no, no, no), (yes, no, no), (no, yes, no), (yes, yes, yes)]
